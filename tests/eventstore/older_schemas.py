"""Stores as earlier releases made them, from their own SQL files, which are kept beside this one."""

from pathlib import Path
from typing import Any

from psycopg import Connection

from eventstore.postgres.schema import TableName, for_table

FILES = Path(__file__).parent / "schema_versions"
OLDER_VERSIONS = tuple(sorted(int(folder.name) for folder in FILES.iterdir()))


def create_older_schema(connection: Connection[Any], version: int, table: str = "events") -> None:
    for file in sorted((FILES / str(version)).glob("*.sql")):
        connection.execute(for_table(file.read_text(encoding="utf-8"), TableName.parse(table)).encode())
