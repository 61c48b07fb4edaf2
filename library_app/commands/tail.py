"""`library-app tail`: the events as they happen."""

import logging
import select
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Final

import click
from marshmallow import ValidationError

from eventstore import EventStore, Filter, FilterBuilder, P, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.commands.clear_line import database, one_clear_line
from library_app.commands.outputs import forget_output
from library_app.commands.progress import ended_by_sigterm
from library_app.event_file import event_line
from library_app.event_text import event_text
from library_app.event_words import ID_KEYS
from slices.codec import EVENT_CLASSES
from slices.fields import Id

_LAST: Final = 10
_MOST_LAST: Final = 10_000


def _pairs(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = dict[str, str]()
    for text in given:
        key, _, value = text.partition("=")
        if key not in ID_KEYS:
            raise click.BadParameter(f"{text!r} does not begin with {', '.join(f'{name}=' for name in ID_KEYS)}")
        if key in pairs:
            raise click.BadParameter(f"{key} is given twice, and no event has two")
        try:
            pairs[key] = Id().clean(value)
        except ValidationError:
            raise click.BadParameter(f"{text!r}: this is no UUID") from None
    return pairs


@click.command(short_help="Print events as they happen.")
@click.option("--last", type=click.IntRange(0, _MOST_LAST), help=f"Begin with so many events.  [default: {_LAST}]")
@click.option("--after", type=click.IntRange(min=0), help="Begin after the event of this number.")
@click.option(
    "--type", "types", type=click.Choice(sorted(EVENT_CLASSES)), multiple=True, metavar="TYPE",
    help="Only events of this type, such as BookCopyLentToReader; may be repeated for several types.",
)  # fmt: skip
@click.option(
    "--key", "ids", callback=_pairs, multiple=True, metavar="KEY=ID",
    help="Only events with this id, such as BookID=…; may be repeated for events that have all of them.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON with all of each event, as in an export.")
def tail(*, last: int | None, after: int | None, types: tuple[str, ...], ids: dict[str, str], as_json: bool) -> None:
    """Print events as they happen, one on a line: number, time, type and ids.

    Ends with Ctrl-C, or when nobody reads what it prints, both with exit code 0. While the database is restarted it
    waits, and then goes on: no event is left out and none comes twice.
    """
    if last is not None and after is not None:
        raise click.UsageError("--last and --after are two ways to begin; give one.")
    # A connection that is lost is told by the subscription, once.
    logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())
    with one_clear_line(), ended_by_sigterm(), open_pool(database(), max_size=2) as pool:
        store = PostgresEventStore(pool)
        store.check_schema()
        with suppress(KeyboardInterrupt):
            _follow(store, _filter(types, ids), last, after, as_json=as_json)


def _filter(types: tuple[str, ...], ids: dict[str, str]) -> Filter:
    predicates = _one_or_more(P(key, value) for key, value in ids.items())
    if types and predicates:
        return FilterBuilder().matching().any_event_type_of(*types).and_all_predicates_of(*predicates).finalize()
    if types:
        return FilterBuilder().matching().any_event_type_of(*types).finalize()
    if predicates:
        return FilterBuilder().matching().all_predicates_of(*predicates).finalize()
    return FilterBuilder().matching_any_event()


def _one_or_more(predicates: Iterable[P]) -> tuple[P, ...]:
    return tuple(predicates)


def _follow(store: EventStore, wanted: Filter, last: int | None, after: int | None, *, as_json: bool) -> None:
    """Print until nobody listens any more."""
    with _until_nobody_reads() as closes:
        if after is None:
            count = _LAST if last is None else last
            newest = store.query(wanted, limit=max(count, 1), backwards=True)
            _print(reversed(newest.events[:count]), as_json=as_json)
            after = newest.position  # of the same snapshot: nothing lies between
        with store.subscribe(wanted, after=after) as subscription:
            closes(subscription.close)
            for batch in subscription:
                _print(batch.events, as_json=as_json)


def _print(events: Iterable[SequencedEvent], *, as_json: bool) -> None:
    for event in events:
        if as_json:
            click.echo(event_line(event), nl=False)
        else:
            click.echo(event_text(event))


@contextmanager
def _until_nobody_reads() -> Generator[Callable[[Callable[[], None]], None]]:
    """End the block quietly when the reader of a pipe has gone, as `head` goes.

    Yields what takes a function that ends the waiting: a pipe tells by itself, long before the next event is written.
    """

    def closes(close: Callable[[], None]) -> None:
        if not sys.stdout.isatty():
            threading.Thread(target=_call_when_unread, args=(close,), daemon=True).start()

    try:
        yield closes
    except BrokenPipeError:
        forget_output()
    except OSError as error:
        forget_output()
        raise click.ClickException(f"standard output: {error.strerror or error}") from None


def _call_when_unread(close: Callable[[], None]) -> None:
    errors_only = select.poll()
    errors_only.register(sys.stdout.fileno(), 0)
    errors_only.poll()
    close()
