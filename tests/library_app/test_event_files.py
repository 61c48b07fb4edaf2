"""`export-events` and `import-events`: a log moves from one database to another, whatever comes between."""

import io
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
import pytest

from eventstore import EventStore, Filter, InMemoryEventStore, SequencedEvent, uuid7
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore, open_pool
from eventstore.postgres.schema import SCHEMA_VERSION
from library_app.event_file import read_events, write_events
from slices.codec import Metadata, encode
from slices.lending.book_search.live import model
from slices.lending.books_in_circulation.query import BooksInCirculationHandler
from slices.lending.events import BookCopyAddedToCirculation
from slices.live.answering import LiveAnswers
from slices.live.runner import LiveRunner
from slices.questions import Replaying
from slices.snapshotted import Snapshotted
from slices.testing import write
from tests.library_app.command_line import assert_says, assert_says_last, run
from tests.library_app.conftest import all_events
from tests.library_app.waiting import eventually
from tests.slices.lending.world import ADDED, REMOVED

NOON: Final = datetime(2026, 3, 14, 12, tzinfo=UTC)
MANY: Final = 20_000
MEASURED: Final = """
import sys
from pathlib import Path
from library_app.cli import main

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

before = peak()
try:
    main()
finally:
    print("kB:", peak() - before)
"""


def many_events() -> Iterator[SequencedEvent]:
    """Some 28 MB of copies with long titles."""
    for number in range(1, MANY + 1):
        added = BookCopyAddedToCirculation(
            str(uuid7()), "9781098100131", "T" * 900, "A", "1st", "P", 2021, occurred_at=NOON
        )
        made = encode(added, Metadata(uuid7(), uuid7(), uuid7()))
        yield SequencedEvent(number, made.event_id, made.event_type, made.occurred_at, made.payload, made.metadata)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("events") / "many.jsonl"
    with file.open("wb") as opened:
        write_events(opened, many_events(), made_at=NOON, up_to=MANY, schema=3)
    return file


@pytest.fixture
def prepared(database: str) -> str:
    """A database with tables and without events."""
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    return database


def file_of(store: EventStore) -> bytes:
    file = io.BytesIO()
    events = all_events(store)
    write_events(file, events, made_at=NOON, up_to=events[-1].sequence_number, schema=3)
    return file.getvalue()


@contextmanager
def store_in(dsn: str) -> Iterator[PostgresEventStore]:
    with open_pool(dsn, max_size=2) as pool:
        yield PostgresEventStore(pool)


def head_of(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT coalesce(max(sequence_number), 0) FROM events").fetchone()
    assert row is not None
    return int(row[0])


def command(dsn: str, *arguments: str, program: str = "from library_app.cli import main; main()") -> list[str]:
    return ["env", "PYTHONUNBUFFERED=", f"LIBRARY_DSN={dsn}", sys.executable, "-c", program, *arguments]


def test_what_was_imported_is_answered_from_and_exported_again(
    prepared: str, seeded: InMemoryEventStore, tmp_path: Path
) -> None:
    given, again = tmp_path / "given.jsonl", tmp_path / "again.jsonl"
    given.write_bytes(file_of(seeded))
    with open_pool(prepared, max_size=4) as pool:
        store = PostgresEventStore(pool)
        kept = Snapshotted(Replaying(store), PostgresSnapshotStore(pool), save_after=1)
        live = LiveAnswers(pool)
        with LiveRunner(model, store, prepared):
            assert BooksInCirculationHandler(kept).handle().view == ()
            assert f"{len(all_events(seeded))} events written." in run(
                "import-events", str(given), LIBRARY_DSN=prepared
            ).output.replace(",", "")
            expected = BooksInCirculationHandler(Replaying(seeded)).handle()
            for _ in range(2):  # folded, then from the state that was kept
                assert BooksInCirculationHandler(kept).handle() == expected
            eventually(lambda: live.status(model).position == expected.position, "the book search has caught up")
    done = run("export-events", str(again), LIBRARY_DSN=prepared)
    assert (done.exit_code, again.read_bytes().splitlines()[1:-1]) == (0, given.read_bytes().splitlines()[1:-1])
    assert stat.S_IMODE(again.stat().st_mode) == 0o600
    header = json.loads(again.read_bytes().splitlines()[0])
    assert (header["UpTo"], header["Schema"]) == (expected.position, SCHEMA_VERSION)
    assert "Nothing to do" in run("import-events", str(again), LIBRARY_DSN=prepared).output
    printed = subprocess.run(command(prepared, "export-events"), capture_output=True, check=True)
    assert printed.stdout.splitlines()[1:-1] == given.read_bytes().splitlines()[1:-1]


def test_an_import_that_was_killed_is_repeated_and_many_events_take_little_memory(
    prepared: str, large: Path, tmp_path: Path
) -> None:
    with subprocess.Popen(command(prepared, "import-events", str(large)), stdout=subprocess.PIPE) as killed:
        eventually(lambda: head_of(prepared) > 0, "the import has begun to write")
        killed.kill()
    assert killed.returncode == -signal.SIGKILL
    reached = head_of(prepared)
    assert 0 < reached < MANY
    again = command(prepared, "import-events", str(large), program=MEASURED)
    done = subprocess.run(again, capture_output=True, text=True, check=True)
    assert f"{MANY - reached:,} events written; {reached:,} were there before.\n" in done.stdout
    assert int(done.stdout.split("kB:")[1]) * 1024 < large.stat().st_size / 2
    exported = tmp_path / "again.jsonl"
    done = subprocess.run(
        command(prepared, "export-events", str(exported), program=MEASURED), capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split("kB:")[1]) * 1024 < large.stat().st_size / 2
    lines, given = exported.open("rb"), large.open("rb")
    with lines, given:
        for one, other in list(zip(lines, given, strict=True))[1:-1]:
            assert json.loads(one) == json.loads(other)


def test_whoever_writes_during_an_import_is_named_and_nothing_is_lost(
    prepared: str, seeded: InMemoryEventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given.jsonl"
    given.write_bytes(file_of(seeded))
    append = PostgresEventStore.append

    def somebody_is_quicker(store: PostgresEventStore, *events: object, **options: object) -> object:
        monkeypatch.setattr(PostgresEventStore, "append", append)
        write(store, ADDED)
        return append(store, *events, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(PostgresEventStore, "append", somebody_is_quicker)
    result = run("import-events", str(given), LIBRARY_DSN=prepared)
    assert_says_last(result, "somebody else writes to this log: event 1 (BookCopyAddedToCirculation)")
    assert head_of(prepared) == 1
    refused = run("import-events", str(given), LIBRARY_DSN=prepared)
    assert_says_last(refused, "Nothing was written")


def test_numbers_that_differ_are_told(prepared: str, tmp_path: Path) -> None:
    given = tmp_path / "given.jsonl"
    store = InMemoryEventStore()
    write(store, ADDED, REMOVED)
    given.write_bytes(file_of(store))
    with psycopg.connect(prepared) as connection:
        connection.execute("SELECT nextval('events_sequence_number')")  # as an append does that is rolled back
    result = run("import-events", str(given), LIBRARY_DSN=prepared)
    assert "Warning: 2 events have other numbers than in the file, from #1 on, which is #2 now\n" in result.output
    assert "2 events written." in result.output
    with store_in(prepared) as log:
        write(log, ADDED)
    result = run("import-events", str(given), LIBRARY_DSN=prepared)
    assert result.exit_code == 0
    assert "Warning: the log has 1 event after those of the file\n" in result.output
    assert "Nothing to do: the log has 2 events of the file already.\n" in result.output


def test_what_cannot_be_done_is_said_in_one_line(prepared: str, tmp_path: Path) -> None:
    file, folder = tmp_path / "events.jsonl", tmp_path / "missing" / "events.jsonl"
    file.write_bytes(b"")
    assert_says_last(run("import-events", str(file), LIBRARY_DSN=prepared), f"{file}: line 1: the file is empty")
    assert_says(run("import-events", "/dev/null", LIBRARY_DSN=prepared), "/dev/null: this is no file")
    assert_says(run("export-events", "/dev/null", LIBRARY_DSN=prepared), "/dev/null: this is no file")
    assert_says(run("export-events", str(folder), LIBRARY_DSN=prepared), f"{folder}: No such file or directory")
    assert run("import-events", str(folder), LIBRARY_DSN=prepared).exit_code == 2
    assert_says(run("export-events"), "LIBRARY_DSN is not set")
    with psycopg.connect(prepared) as connection:
        connection.execute("DROP TABLE events CASCADE")
    for name in ("import-events", "export-events"):
        assert_says(run(name, str(file), LIBRARY_DSN=prepared), "library-app init-db")


def test_an_export_that_is_ended_leaves_the_old_file_and_nothing_else(prepared: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"the old one")
    with store_in(prepared) as store:
        write(store, ADDED)
    with psycopg.connect(prepared, autocommit=True) as looking, psycopg.connect(prepared) as locking:
        locking.execute("LOCK TABLE events")
        with subprocess.Popen(command(prepared, "export-events", str(file)), stderr=subprocess.DEVNULL) as exporting:
            eventually(lambda: somebody_waits(looking), "the export waits for the log")
            assert len(list(tmp_path.iterdir())) == 2
            exporting.terminate()
    assert exporting.returncode == 128 + signal.SIGTERM
    assert file.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [file]


def somebody_waits(connection: psycopg.Connection[tuple[bool]]) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass)"
    ).fetchone()
    return row is not None and row[0]


def test_standard_output_that_cannot_be_written_ends_an_export_with_one_line_at_most(prepared: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as broken, Path("/dev/full").open("wb") as full:
        for output, said in ((broken, ""), (full, "Error: standard output: No space left on device\n")):
            exporting = subprocess.run(
                command(prepared, "export-events"), stdout=output, stderr=subprocess.PIPE, text=True, check=False
            )
            assert (exporting.returncode, exporting.stderr) == (1, f"Writing events\n{said}")


def test_what_is_appended_during_an_export_is_left_out(
    prepared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = PostgresEventStore.stream

    def meanwhile(store: PostgresEventStore, filter: Filter) -> Iterator[SequencedEvent]:
        write(store, REMOVED)
        return stream(store, filter)

    file = tmp_path / "events.jsonl"
    with store_in(prepared) as store:
        write(store, ADDED)
        monkeypatch.setattr(PostgresEventStore, "stream", meanwhile)
        assert "1 event, up to #1, in " in run("export-events", str(file), LIBRARY_DSN=prepared).stderr
        assert list(read_events(io.BytesIO(file.read_bytes()))) == list(all_events(store))[:1]
        assert len(all_events(store)) == 2
