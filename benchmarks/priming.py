"""A store with a long history: made once, then used again by every run that asks for the same length."""

import hashlib
import json
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier, Literal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks.library_log import FEWEST_EVENTS, Library
from benchmarks.school_log import LENGTHS, School
from benchmarks.server import CannotMeasure
from eventstore.postgres.schema import TableName, secondary_indexes, table_and_functions

_LINES_AT_ONCE: Final = 2_000
_MAKER: Final = "python -m benchmarks"


@dataclass(frozen=True, slots=True)
class Note:
    """What is remembered about a primed store, as the comment of its schema.

    Attributes:
        events: the length of the history.
        content: a fingerprint of schema and history; another one means that the store is out of date.
        seconds: how long each phase took; empty until the last one is done.
    """

    events: int
    content: str
    seconds: dict[str, float] = field(default_factory=dict)
    made_by: str = _MAKER

    def as_text(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str | None) -> "Note | None":
        """The note, if the comment is one of ours."""
        try:
            note = json.loads(text or "")
        except ValueError:
            return None
        return cls(**note) if isinstance(note, dict) and note.get("made_by") == _MAKER else None


@dataclass(frozen=True, slots=True)
class PrimedStore:
    """A store that is ready to be measured.

    Attributes:
        table: the name for `PostgresEventStore`.
        library: whose history it holds.
        seconds: how long each phase of priming took, now or in the run that did it.
        reused: whether it was there already.
        size_now: the number of events, with those of earlier measurements.
    """

    table: str
    library: Library
    seconds: dict[str, float]
    reused: bool
    size_now: int

    def as_json(self) -> dict[str, Any]:
        """What a result says of the store in which it was measured."""
        return {
            "events": self.library.events,
            "table": self.table,
            "reused": self.reused,
            "seconds": self.seconds,
            "events_before_measuring": self.size_now,
        }


@dataclass(frozen=True, slots=True)
class PrimedSchool:
    """A store that holds streams of many lengths. The attributes are those of `PrimedStore`."""

    table: str
    school: School
    seconds: dict[str, float]
    reused: bool
    size_now: int

    def as_json(self) -> dict[str, Any]:
        """What a result says of the store in which it was measured."""
        return {"events": self.school.events, "table": self.table, "streams": list(self.school.courses)}


class History(Protocol):
    """What a store is primed with."""

    @property
    def events(self) -> int:
        """Its length."""
        ...

    def copy_lines(self) -> Iterator[str]:
        """Every event in the text format of COPY."""
        ...


def schema_name(events: int) -> str:
    """Where the store of this length lives: in a schema of its own, so that it can be dropped as a whole."""
    return f"benchmark_{events}"


def prime(
    dsn: str, events: int, *, progress: Progress | None = None, fresh: bool = False, schema: str | None = None
) -> PrimedStore:
    """Load the history into an empty store, unless a complete one is there.

    What an interrupted run left behind is dropped. A schema that is not ours is never touched.

    Args:
        dsn: the server.
        events: the length of the history.
        progress: shows each phase.
        fresh: prime again even if a store is there.
        schema: instead of the one named after the length.

    Raises:
        CannotMeasure: a schema of this name belongs to somebody else, or the server refuses.
    """
    table = TableName(schema or schema_name(events), "events")
    library = Library.of(events)
    sample = Library.of(2 * FEWEST_EVENTS).copy_lines()
    return PrimedStore(str(table), library, *_primed(dsn, table, library, sample, progress=progress, fresh=fresh))


def prime_school(
    dsn: str, longest: int, *, progress: Progress | None = None, fresh: bool = False, schema: str | None = None
) -> PrimedSchool:
    """Load the history of a school, as `prime` does that of a library.

    Args:
        dsn: the server.
        longest: the number of events of the longest stream.
        progress, fresh, schema: as in `prime`.

    Raises:
        CannotMeasure: as in `prime`.
    """
    table = TableName(schema or f"benchmark_school_{longest}", "events")
    school = School.of(longest)
    sample = School.of(LENGTHS[0]).copy_lines()
    return PrimedSchool(str(table), school, *_primed(dsn, table, school, sample, progress=progress, fresh=fresh))


def progress_bars() -> Progress:
    """Bars that show each phase with its count and its seconds."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )


def _primed(
    dsn: str, table: TableName, history: History, sample: Iterable[str], *, progress: Progress | None, fresh: bool
) -> tuple[dict[str, float], bool, int]:
    """The seconds of each phase, whether the store was there already, and how many events it has."""
    wanted = Note(history.events, _content(sample))
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            found = _found(connection, table)
            if found is not None and found.seconds and found.content == wanted.content and not fresh:
                return found.seconds, True, _size(connection, table)
            if found is not None:
                connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(table.schema)))
            seconds = _load(connection, table, history, wanted, progress or Progress(disable=True))
            return seconds, False, _size(connection, table)
    except psycopg.Error as error:
        raise CannotMeasure(f"priming failed: {' '.join(str(error).split())}") from error


def _load(
    connection: Connection[Any], table: TableName, history: History, note: Note, progress: Progress
) -> dict[str, float]:
    seconds: dict[str, float] = {}

    @contextmanager
    def phase(name: str, total: int | None = None) -> Generator[Any]:
        task = progress.add_task(name, total=total)
        began = time.perf_counter()
        yield lambda count: progress.update(task, advance=count)
        seconds[name] = round(time.perf_counter() - began, 3)
        progress.update(task, total=total or 1, completed=total or 1)

    with phase("table, functions, triggers"), connection.transaction():
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(table.schema)))
        connection.execute(_comment(table, note))
        connection.execute(table_and_functions(table).encode())
    with phase("COPY of the events", history.events) as loaded:
        _copy(connection, table, history, loaded)
    with phase("secondary indexes"):
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute(secondary_indexes(table).encode())
    with phase("VACUUM ANALYZE"):
        connection.execute(SQL("VACUUM (ANALYZE) {}").format(Identifier(table.schema, table.table)))
    connection.execute(_comment(table, Note(note.events, note.content, seconds)))
    return seconds


def _copy(connection: Connection[Any], table: TableName, history: History, loaded: Any) -> None:
    statement = SQL("COPY {} (event_id, event_type, occurred_at, payload, metadata) FROM STDIN").format(
        Identifier(table.schema, table.table)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        lines: list[str] = []
        for line in history.copy_lines():
            lines.append(line)
            if len(lines) == _LINES_AT_ONCE:
                copy.write("".join(lines))
                loaded(len(lines))
                lines.clear()
        copy.write("".join(lines))


def _comment(table: TableName, note: Note) -> Composed:
    return SQL("COMMENT ON SCHEMA {} IS {}").format(Identifier(table.schema), Literal(note.as_text()))


def _found(connection: Connection[Any], table: TableName) -> Note | None:
    row = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", [table.schema]
    ).fetchone()
    if row is None:
        return None
    note = Note.parse(row[0])
    if note is None:
        raise CannotMeasure(f"the schema {table.schema} exists and was not made by {_MAKER}; it is left alone")
    return note


def _size(connection: Connection[Any], table: TableName) -> int:
    row = connection.execute(
        SQL("SELECT max(sequence_number) FROM {}").format(Identifier(table.schema, table.table))
    ).fetchone()
    return 0 if row is None else int(row[0] or 0)


def _content(sample: Iterable[str]) -> str:
    """A fingerprint of everything that makes the content of a primed store: change one, and it is primed again."""
    name = TableName("public", "events")
    text = table_and_functions(name) + secondary_indexes(name) + "".join(sample)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
