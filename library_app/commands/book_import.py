"""`library-app import-books`: a list of copies into circulation."""

import sys
from contextlib import suppress
from typing import BinaryIO, Final
from uuid import UUID, uuid5

import click

from eventstore import EventIdReused, EventStore, uuid7
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.book_list import COLUMNS, BadRow, GoodRow, NoBookList, read_book_list
from library_app.commands.clear_line import database, one_clear_line
from library_app.commands.progress import counted, progress
from library_app.edge import utc_now
from slices.command_loop import CommandLoop
from slices.lending.add_book_copy_to_circulation.handler import AddBookCopyToCirculationHandler
from slices.lending.add_book_copy_to_circulation.routes import make
from slices.origin import Origin

_EVENT_IDS: Final = UUID("e5c0a1f6-9d2b-5b43-8f57-2a4c7c1d9b30")
"""Namespace of the ids of the events of imports: a copy is imported once."""


@click.command(
    "import-books", short_help="Add the copies of a CSV list to circulation.", epilog=f"The columns are {COLUMNS}."
)
@click.argument("file", type=click.File("rb"))
def import_books(file: BinaryIO) -> None:
    """Add the copies of a list to circulation. FILE is CSV in UTF-8; - is standard input.

    The first row names the columns, in any order, with , or ; between them. Each further row is one copy. Rows that
    cannot be used are said with their line, the others are added: correct them and run it again. What is in circulation
    already is left as it is, so a list may be imported any number of times, also after an import that was interrupted.

    A copy without BookID gets one that is made from its row: two equal rows are two copies, and the same two copies
    each time. A copy that was imported and has been removed since is not added again, but said.

    The exit code is 0 if all copies of the list are in circulation, and 1 otherwise.
    """
    with one_clear_line(), open_pool(database(), max_size=2) as pool:
        store = PostgresEventStore(pool)
        store.check_schema()
        good, bad = _rows(file)
        added, removed = add(store, good)
    for row in removed:
        _say(file, row)
    said = f"{counted(added, 'copy', 'copies')} added, {len(good) - len(removed) - added:,} in circulation already"
    left_out = len(bad) + len(removed)
    click.echo(f"{said}, {counted(left_out, 'row', 'rows')} left out." if left_out else f"{said}.")
    if left_out:
        sys.exit(1)


def _rows(file: BinaryIO) -> tuple[list[GoodRow], list[BadRow]]:
    good, bad = list[GoodRow](), list[BadRow]()
    try:
        for row in read_book_list(file):
            if isinstance(row, GoodRow):
                good.append(row)
            else:
                bad.append(row)
                _say(file, row)
    except NoBookList as reason:
        raise click.ClickException(f"{_name(file)}: {reason}") from None
    return good, bad


def add(store: EventStore, rows: list[GoodRow]) -> tuple[int, list[BadRow]]:
    """Add what is missing. Returns how many copies that were, and the rows whose copies have been removed since."""
    added, removed = 0, list[BadRow]()
    handler = AddBookCopyToCirculationHandler(CommandLoop(store))
    correlation_id = uuid7()  # all that one import does belongs together
    with progress("Adding copies", len(rows)) as reached:
        for number, row in enumerate(rows, start=1):
            try:
                added += _add_one(handler, row, correlation_id)
            except _RemovedSince as reason:
                removed.append(BadRow(row.line, str(reason)))
            reached(number)
    return added, removed


class _RemovedSince(Exception):
    """A copy was imported before and is not in circulation: somebody has removed it."""


def _add_one(handler: AddBookCopyToCirculationHandler, row: GoodRow, correlation_id: UUID) -> bool:
    """Add a copy, unless it is in circulation; tell whether it was added."""
    book_id = row.fields["book_id"]
    origin = Origin(uuid7(), correlation_id, lambda index: uuid5(_EVENT_IDS, f"{book_id}\n{index}"))
    for _ in range(2):  # the second time it is decided on what somebody else may have imported a moment ago
        with suppress(EventIdReused):
            return bool(handler.handle(make(row.fields, utc_now(), origin), origin).events)
    raise _RemovedSince(f"the copy {book_id} was imported before and has been removed since; it is not added again")


def _say(file: BinaryIO, row: BadRow) -> None:
    click.echo(f"{_name(file)}, {row}", err=True)


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "<stdin>"))
