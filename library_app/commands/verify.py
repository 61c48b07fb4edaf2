"""`library-app verify`: whether the log is sound."""

import json
import sys
from typing import Final

import click

from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.commands.clear_line import database, one_clear_line
from library_app.commands.progress import counted, progress
from library_app.verification import findings
from library_app.verification_postgres import missing_guards

_EVERYTHING: Final = FilterBuilder().matching_any_event()
_ERASE_LINE: Final = "\r\033[K"


@click.command(short_help="Say everything that is wrong with the log.")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON: one for each finding, and one at the end.")
def verify(*, as_json: bool) -> None:
    """Read the whole log and say everything that is wrong with it.

    Looked for are guards of the events table that are switched off, events out of order, ids that occur twice, types,
    payloads and metadata that cannot be read, times and ids that are told in two ways, and whatever the rules of
    library and school forbid. Nothing is changed. The exit code is 0 if nothing was found, and 1 otherwise. What is
    appended meanwhile is not looked at.
    """
    found, looked_at = 0, 0
    with one_clear_line(), open_pool(database(), max_size=2) as pool:
        store = PostgresEventStore(pool)
        store.check_schema()
        for text in missing_guards(pool):
            found += 1
            _say(None, text, as_json=as_json)
        head = store.query(_EVERYTHING, limit=1).position
        with progress("Reading the log", head) as reached:

            def count(number: int) -> None:
                nonlocal looked_at
                looked_at += 1
                reached(number)

            for finding in findings(store.stream(_EVERYTHING.as_of(head)), count):
                found += 1
                _say(finding.sequence_number, finding.text, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"Events": looked_at, "UpTo": head, "Findings": found}))
    else:
        what = counted(found, "thing is", "things are") if found else "nothing is"
        click.echo(f"{counted(looked_at, 'event', 'events')} up to #{head}: {what} wrong.")
    if found:
        sys.exit(1)


def _say(number: int | None, text: str, *, as_json: bool) -> None:
    if sys.stdout.isatty() and sys.stderr.isatty():
        click.echo(_ERASE_LINE, nl=False)  # of the bar, which is drawn anew below
    if as_json:
        click.echo(json.dumps({"SequenceNumber": number, "Finding": text}))
    else:
        click.echo(f"{'events table' if number is None else f'event {number}'}: {text}")
