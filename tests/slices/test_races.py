"""Commands that meet, slice by slice: the log holds what it must, and no boundary is wider than that takes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from eventstore import EventStore, Filter, InMemoryEventStore
from eventstore.filters import FilterItem
from eventstore.postgres import PostgresEventStore
from slices.audit import audit
from slices.codec import EVENT_CLASSES
from slices.domain_event import DomainEvent
from slices.testing import write
from tests.slices.enrollment.races import RACES as SCHOOL
from tests.slices.lending.races import RACES as LIBRARY
from tests.slices.races import EVERYTHING, Command, Race, boundary_of, carry_out, run, slice_of, written
from tests.slices.test_boundaries import WRITING, slice_names
from tests.slices.test_concurrency import StartingLine

RACES = {**LIBRARY, **SCHOOL}
NAMED = pytest.mark.parametrize("race", RACES.values(), ids=RACES.keys())


@NAMED
def test_the_slower_one_decides_on_what_the_quicker_one_wrote(race: Race, engine: EventStore) -> None:
    outcome = run(race, engine)
    assert written(race, engine) == race.log
    assert [conflict.after for conflict in outcome.report.conflicts] == [len(race.given)] * race.disturbed
    assert unlawful(race, engine) == []


@NAMED
def test_two_at_the_same_moment_leave_a_log_as_if_one_had_come_after_the_other(
    race: Race, store: PostgresEventStore
) -> None:
    write(store, *race.given)
    start = StartingLine(store, racers=2)
    with ThreadPoolExecutor(2) as racers:
        list(racers.map(lambda command: carry_out(command, start), (race.quicker, race.slower)))
    assert written(race, store) in (
        one_after_the_other(race.given, race.quicker, race.slower),
        one_after_the_other(race.given, race.slower, race.quicker),
    )
    assert unlawful(race, store) == []


def unlawful(race: Race, store: EventStore) -> list[str]:
    """What an auditor who reads the whole log objects to, in what the race has added."""
    return [str(found) for found in audit(store.query(EVERYTHING)) if found.sequence_number > len(race.given)]


def one_after_the_other(given: tuple[DomainEvent, ...], *commands: Command) -> tuple[DomainEvent, ...]:
    store = InMemoryEventStore()
    write(store, *given)
    for command in commands:
        carry_out(command, store)
    return written(Race(given, None, None, ()), store)


Clause = tuple[int, str, str | None]
"""The number of an item of a boundary, and an event type and a key of it. No key: of all keys together."""


def clauses(boundary: Filter) -> Iterator[Clause]:
    """Every pair of an event type and a key by which the boundary finds it."""
    for number, item in enumerate(boundary.items):
        for event_type in item.event_types:
            keys = [predicate.key for predicate in item.predicates]
            if item.all_predicates:
                yield number, event_type, None
            else:
                fields = EVENT_CLASSES[event_type].__struct_encode_fields__
                yield from ((number, event_type, key) for key in keys if key in fields)


def without(clause: Clause) -> Callable[[Filter], Filter]:
    """The same boundary, except that it does not find events of one type by one key."""
    number, event_type, key = clause

    def change(boundary: Filter) -> Filter:
        item = boundary.items[number]
        others = tuple(each for each in item.event_types if each != event_type)
        keys = tuple(predicate for predicate in item.predicates if key is not None and predicate.key != key)
        parts = [
            *([replace(item, event_types=others)] if others else []),
            *([FilterItem((event_type,), keys)] if keys else []),
        ]
        items = (*boundary.items[:number], *parts, *boundary.items[number + 1 :])
        return replace(boundary, items=items or (FilterItem(("NothingLeft",)),))

    return change


def wider(boundary: Filter) -> Iterator[tuple[str, Callable[[Filter], Filter]]]:
    """Each key that events must have together with others, and the same boundary without that demand."""
    for number, item in enumerate(boundary.items):
        for key in [predicate.key for predicate in item.predicates if item.all_predicates]:

            def change(asked: Filter, number: int = number, key: str = key) -> Filter:
                kept = tuple(predicate for predicate in asked.items[number].predicates if predicate.key != key)
                fewer = replace(asked.items[number], predicates=kept)
                return replace(asked, items=(*asked.items[:number], fewer, *asked.items[number + 1 :]))

            yield key, change


def goes_wrong(race: Race, change: Callable[[Filter], Filter]) -> bool:
    store = InMemoryEventStore()
    run(race, store, change)
    return written(race, store) != race.log


@pytest.mark.parametrize("folder", WRITING, ids=slice_names(WRITING))
def test_no_clause_of_a_boundary_is_superfluous(folder: Path) -> None:
    """Without it, some race of this slice ends with a log that it must not leave."""
    races = [race for race in RACES.values() if slice_of(race.slower) == folder.name]
    assert races, f"no race in which {folder.name} is the slower one: add one to {races_of(folder)}"
    boundaries = [boundary_of(race.slower) for race in races]
    widest = max(boundaries, key=lambda boundary: len(list(clauses(boundary))))
    superfluous = [
        clause
        for clause in clauses(widest)
        if not any(
            clause in clauses(boundary) and goes_wrong(race, without(clause))
            for race, boundary in zip(races, boundaries, strict=True)
        )
    ]
    assert superfluous == [], "\n".join(advice(folder, *clause) for clause in superfluous)
    for key, change in wider(widest):
        assert any(goes_wrong(race, change) for race in races), (
            f"{folder.name}: no race goes wrong when events need not have {key}: add one to {races_of(folder)} "
            f"in which an event with another {key} is only read, or take the key out of the boundary"
        )


def advice(folder: Path, number: int, event_type: str, key: str | None) -> str:
    """What to do about a clause that no race needs."""
    return (
        f"{folder.name}: item {number} finds {event_type} by {key or 'all its keys'}. No race goes wrong without it: "
        f"add one to {races_of(folder)} in which the event is only read, or take the clause out of the boundary"
    )


def races_of(folder: Path) -> str:
    return f"tests/slices/{folder.parent.name}/races.py"
