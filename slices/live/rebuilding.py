"""Making a live model anew from the log, beside the generation that goes on answering, and swapping the two.

    add ──► take the log in, batch by batch ──► indexes ──► take in what came meanwhile ──► swap ──► drop the old one

Whenever this is interrupted, the old generation is as it was; the next rebuild removes what was left behind.
"""

from collections.abc import Callable
from typing import Any

from eventstore import Batch
from eventstore.postgres.schema import TableName
from slices.live.connection import held, own_connection
from slices.live.generations import Generation, Generations
from slices.live.model import LiveModel
from slices.live.reading import Reading


class RebuildUnderWay(Exception):
    """Somebody else is rebuilding the model at this moment."""

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} is being rebuilt by somebody else at this moment")


class Interrupted(Exception):
    """The reading was closed before the rebuild had come to its end."""


def _silently(_position: int) -> None:
    """Tell nobody."""


def rebuild(
    model: LiveModel[Any],
    reading: Reading,
    dsn: str,
    table: str = "events",
    *,
    progress: Callable[[int], None] = _silently,
) -> Generation:
    """Rebuild a model now, whatever its version.

    >>> rebuild(model, Reading(store), dsn, progress=print)

    Args:
        model: what to rebuild.
        reading: how to read the log.
        dsn: libpq connection string of the server itself.
        table: the events table.
        progress: is told the position that was reached, again and again.

    Raises:
        RebuildUnderWay, Interrupted: see there.
        SchemaMissing: the tables of the model were never made.
        StoreUnavailable: the server does not answer, or the right to create tables is missing.
        UnknownEventType, UnreadableEvent: an event of the log cannot be read.
    """
    name = TableName.parse(table)
    with own_connection(dsn, name, model.name) as connection, held(connection, name, model.name, "rebuild") as is_ours:
        if not is_ours:
            raise RebuildUnderWay(model.name)
        return build(Generations(connection, name, model), reading, progress)


def build(generations: Generations, reading: Reading, progress: Callable[[int], None] = _silently) -> Generation:
    """Rebuild a model. The caller holds the lock of those who do. Arguments and errors are those of `rebuild`."""
    generations.serving()
    generations.drop_others()
    built = _caught_up(generations, generations.add(), reading, progress)
    generations.index(built)
    built = _caught_up(generations, built, reading, progress)
    serving = generations.swap(built, lambda last, to: _with_tail(generations, last, reading, to))
    generations.drop_others()
    return serving


def _caught_up(
    generations: Generations, generation: Generation, reading: Reading, progress: Callable[[int], None]
) -> Generation:
    """Take in what is in the log at this moment, in bounded memory."""
    boundary = generations.model.boundary
    head = reading.store.query(boundary, limit=1).position
    if generation.position >= head:
        return generation
    with reading.after(boundary, generation.position) as subscription:
        for batch in subscription:
            generation = generations.advance(generation, batch)
            progress(generation.position)
            if generation.position >= head:
                return generation
    raise Interrupted(f"the rebuild of {generations.model.name} was interrupted at position {generation.position}")


def _with_tail(generations: Generations, generation: Generation, reading: Reading, to: int) -> Generation:
    """Take in the few events up to a position, or to the end of the log if that comes before."""
    tail = generations.model.boundary.after_sequence_number(generation.position).as_of(to)
    found = reading.store.query(tail)
    return generations.advance(generation, Batch(found.events, max(generation.position, min(to, found.position))))
