"""The names of events tables, and what is named after them."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}\Z")
_LONGEST_CHANNEL: Final = 63


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
