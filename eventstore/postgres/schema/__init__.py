"""The schema: plain SQL files beside this one, and how they are put to work for an events table of any name."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

SCHEMA_VERSION: Final = 1
"""The version of the schema that this release needs; the database tells its own by `events_schema_version()`."""

LOCK_NAMESPACE: Final = 0x45765374
""""EvSt": the first key of every append lock, so that applications can keep their own advisory locks apart."""

_DEFAULT_KEY: Final = "-1479727618"
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}\Z")
_LONGEST_CHANNEL: Final = 63
_REPLACED: Final = re.compile(rf"\bpublic\.events(?=\b|_)|(?<!\.)\bevents_(?=\w)|{_DEFAULT_KEY}")


@dataclass(frozen=True, slots=True)
class TableName:
    """The qualified name of an events table; "events" means "public.events".

    Raises:
        ValueError: unless schema and table are lower-case identifiers of at most 40 characters (functions, indexes
            and the notification channel are named after them, and PostgreSQL cuts names off at 63 bytes).
    """

    schema: str
    table: str

    @classmethod
    def parse(cls, name: str) -> "TableName":
        """Split an optionally qualified name and check it."""
        schema, dot, table = name.rpartition(".")
        schema = schema if dot else "public"
        if not (_NAME.match(schema) and _NAME.match(table)) or len(schema) + 1 + len(table) > _LONGEST_CHANNEL:
            raise ValueError(
                f"{name!r} cannot name an events table: use lower-case letters, digits and underscores, at most"
                " 40 characters, with or without a schema in front"
            )
        return cls(schema, table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def lock_key(self) -> int:
        """The second key of the append lock: the same for the same name in every database, for ever."""
        return int.from_bytes(hashlib.sha256(str(self).encode()).digest()[:4], "big", signed=True)


def table_and_functions(name: TableName) -> str:
    """SQL that creates the table, its triggers and the append functions."""
    return _for_table("1_events.sql", name)


def secondary_indexes(name: TableName) -> str:
    """SQL that creates the secondary indexes; without them everything works, slowly, except exactly-once."""
    return _for_table("2_indexes.sql", name)


def _for_table(file: str, name: TableName) -> str:
    script = files(__name__).joinpath(file).read_text(encoding="utf-8")
    # All in one pass: what is put in may look like what is replaced.
    replacements = {"public.events": str(name), "events_": f"{name.table}_", _DEFAULT_KEY: str(name.lock_key)}
    return _REPLACED.sub(lambda found: replacements[found.group()], script)
