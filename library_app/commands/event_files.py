"""`library-app export-events` and `import-events`: the log as a file that any program can read."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

import click

from eventstore import ConcurrencyConflict, EventStore, FilterBuilder, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.schema import SCHEMA_VERSION
from library_app.commands.clear_line import database, one_clear_line
from library_app.commands.outputs import standard_output, whole_file
from library_app.commands.progress import counted, ended_by_sigterm, progress
from library_app.edge import utc_now
from library_app.event_file import FileRefused, write_events
from library_app.event_import import Imported, OtherLog, check_file, import_events

_EVERYTHING: Final = FilterBuilder().matching_any_event()
_STANDARD: Final = Path("-")


@click.command("export-events", short_help="Write the whole log into a file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
def export_events(file: Path) -> None:
    """Write the whole log into FILE, as lines of JSON; without FILE, or as -, to standard output.

    A line for each event, a first line that says what this is, and a last one with the number of events and a checksum.
    What is appended meanwhile is left out: the file is the log as it was at one moment. FILE is replaced when
    everything is written, and not before; it is readable for you only, since the log holds the names of people.
    """
    with one_clear_line(), ended_by_sigterm(), open_pool(database(), max_size=2) as pool, _errors_of(file):
        store = PostgresEventStore(pool)
        store.check_schema()
        if file == _STANDARD:
            with standard_output() as whole:
                written = _export(store, whole)
        else:
            with whole_file(file) as whole:
                written = _export(store, whole)
    click.echo(f"{written}, in {_name(file)}.", err=True)


@click.command("import-events", short_help="Append the events of such a file to an empty log.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_from_file(file: Path) -> None:
    """Append the events of FILE, which export-events has written, to an empty log.

    The whole file is checked before anything is written. The order of the events stays, their numbers are drawn anew:
    where the old log had gaps, the new numbers are lower, which is said. If it is interrupted, run it again: it goes on
    where it ended. A log that holds anything but the beginning of FILE is refused.
    """
    with one_clear_line(), open_pool(database(), max_size=2) as pool, _errors_of(file):
        store = PostgresEventStore(pool)
        store.check_schema()
        if not file.is_file():
            raise click.ClickException(f"{file}: this is no file, and it has to be read twice")
        with file.open("rb") as opened:
            click.echo(_imported(store, opened, file.stat().st_size))


def _export(store: EventStore, file: IO[bytes]) -> str:
    head = store.query(_EVERYTHING, limit=1).position
    with progress("Writing events", head) as reached:
        events = _noting(store.stream(_EVERYTHING.as_of(head)), reached)
        count = write_events(file, events, made_at=utc_now(), up_to=head, schema=SCHEMA_VERSION)
    return f"{counted(count, 'event', 'events')}, up to #{head}"


def _noting(events: Iterable[SequencedEvent], reached: Callable[[int], None]) -> Iterator[SequencedEvent]:
    for event in events:
        reached(event.sequence_number)
        yield event


def _imported(store: EventStore, file: BinaryIO, size: int) -> str:
    with progress("Checking the file", size) as reached:
        count = check_file(file, lambda _: reached(file.tell()))
        reached(size)
    with progress("Appending events", count) as reached:
        done = import_events(store, file, reached)
    for warning in _warnings(done):
        click.echo(f"Warning: {warning}", err=True)
    if not done.written:
        return f"Nothing to do: the log has {counted(count, 'event', 'events')} of the file already."
    before = f"; {done.present:,} were there before" if done.present else ""
    return f"{counted(done.written, 'event', 'events')} written{before}."


def _warnings(done: Imported) -> Iterator[str]:
    if done.beyond:
        yield f"the log has {counted(done.beyond, 'event', 'events')} after those of the file"
    if done.first_renumbered is not None:
        given, drawn = done.first_renumbered
        yield (
            f"{counted(done.renumbered, 'event has another number', 'events have other numbers')} than in the file,"
            f" from #{given} on, which is #{drawn} now"
        )


@contextmanager
def _errors_of(file: Path) -> Generator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read standard output has gone: click ends quietly, with code 1
    except OSError as error:
        raise click.ClickException(f"{_name(file)}: {error.strerror or error}") from None
    except (FileRefused, OtherLog) as error:
        raise click.ClickException(f"{file}: {error}") from None
    except ConcurrencyConflict as conflict:
        raise click.ClickException(
            f"somebody else writes to this log: {conflict}. What was imported before stays; import into a log of which"
            " nobody else has the use yet"
        ) from None


def _name(file: Path) -> str:
    return "standard output" if file == _STANDARD else str(file)
