"""The schema: plain SQL files beside this one, and how they are put to work for an events table of any name."""

import re
from importlib.resources import files
from typing import Final

from eventstore.postgres.schema.names import TableName

SCHEMA_VERSION: Final = 3
"""The version of the schema that this release needs; the database tells its own by `events_schema_version()`."""

LOCK_NAMESPACE: Final = 0x45765374
""""EvSt": the first key of every append lock, so that applications can keep their own advisory locks apart."""

_DEFAULT_KEY: Final = "-1479727618"
_REPLACED: Final = re.compile(
    rf"(?P<literal>'public\.events)|\bpublic\.events(?P<rest>\w*)|(?P<own>(?<!\.)\bevents_)|{_DEFAULT_KEY}"
)


def table_and_functions(name: TableName) -> str:
    """SQL that creates the table, its triggers and the append functions."""
    return for_table(_file("1_events.sql"), name)


def secondary_indexes(name: TableName) -> str:
    """SQL that creates the secondary indexes; without them everything works, slowly, except exactly-once."""
    return for_table(_file("2_indexes.sql"), name)


def snapshots_table(name: TableName) -> str:
    """SQL that creates the table of snapshots; without it everything works but `PostgresSnapshotStore`."""
    return for_table(_file("3_snapshots.sql"), name)


def upgrade_from(version: int, name: TableName) -> str:
    """SQL that makes the next version out of this one."""
    return for_table(_file(f"upgrades/{version}_to_{version + 1}.sql"), name)


def for_table(script: str, name: TableName) -> str:
    """A script that was written for public.events, for an events table of any name."""
    if str(name) == "public.events":
        return script

    def renamed(found: re.Match[str]) -> str:
        match found.lastgroup:
            case "literal":  # holds a name without quotes
                return f"'{name}"
            case "rest":  # the schema, or the table, may be called "order" or "into"
                return f'"{name.schema}"."{name.table}{found["rest"]}"'
            case "own":
                return f"{name.table}_"
            case _:
                return str(name.lock_key)

    # All in one pass: what is put in may look like what is replaced.
    return _REPLACED.sub(renamed, script)


def _file(path: str) -> str:
    return files(__name__).joinpath(path).read_text(encoding="utf-8")


__all__ = [
    "LOCK_NAMESPACE",
    "SCHEMA_VERSION",
    "TableName",
    "for_table",
    "secondary_indexes",
    "snapshots_table",
    "table_and_functions",
    "upgrade_from",
]
