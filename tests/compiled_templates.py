"""Templates are compiled once for all apps of a run: nearly every test makes an app of its own."""

from typing import Final

from jinja2.bccache import Bucket, BytecodeCache


class CompiledTemplates(BytecodeCache):
    """Keeps the code of each template by its source."""

    def __init__(self) -> None:
        self._code: Final = dict[tuple[str, str], bytes]()

    def load_bytecode(self, bucket: Bucket) -> None:
        """See `BytecodeCache`."""
        if code := self._code.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """See `BytecodeCache`."""
        self._code[bucket.key, bucket.checksum] = bucket.bytecode_to_string()
