"""The map of slices is true: what slices say of themselves, what they read, what they write, and who disturbs whom."""

import dataclasses
import importlib
import re
import typing
from datetime import datetime
from typing import Any

import pytest

from eventstore import ConcurrencyConflict, EventStore, InMemoryEventStore
from slices.codec import EVENT_CLASSES
from slices.decision import Append
from slices.domain_event import DomainEvent
from slices.enrollment.events import EnrollingStudentFailed
from slices.slice_map import CONTEXTS, Alternative, ReadSlice, WriteSlice, read_slices, write_slices
from slices.slice_map_text import BEGIN, README, short, with_map
from slices.testing import encoded, write
from tests.slices.lending.world import NOON
from tests.slices.races import Command, boundary_of, carry_out, slice_of
from tests.slices.test_races import RACES

NEUTRAL = EnrollingStudentFailed("a student", "a course", "CourseFull", occurred_at=NOON)
COMMANDS = [command for context in CONTEXTS for command in write_slices(context)]
QUESTIONS = [question for context in CONTEXTS for question in read_slices(context)]
BY_NAME = {command.name: command for command in COMMANDS}

each_command = pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
each_slice = pytest.mark.parametrize("slice_", [*COMMANDS, *QUESTIONS], ids=lambda slice_: slice_.name)


def test_the_map_in_the_readme_is_up_to_date() -> None:
    text = README.read_text()
    assert with_map(text) == text, "run: make map"


def test_a_readme_without_a_place_for_the_map_is_left_alone() -> None:
    with pytest.raises(ValueError, match="no place for the map"):
        with_map(f"# Slices\n\n{BEGIN}\n")


def test_event_types_are_shortened_to_what_tells_them_apart() -> None:
    for context in CONTEXTS:
        types = {event_type for command in write_slices(context) for event_type in command.relevant}
        assert len({short(event_type) for event_type in types}) == len(types)


@each_command
def test_the_words_of_a_slice_say_what_can_happen_and_what_can_be_refused(command: WriteSlice) -> None:
    words = importlib.import_module(f"slices.{command.context}.{command.name}").__doc__ or ""
    then, _, rejected = words.partition("THEN")[2].partition("REJECTED")
    rejected = rejected.partition("NOTHING")[0]
    assert set(re.findall(r"\b[A-Z]\w+[a-z]\w+", then)) & set(EVENT_CLASSES) == set(command.happens)
    reasons = [line.split()[0] for line in rejected.splitlines() if re.match(r"\s*[A-Z]\w+", line)]
    assert reasons == list(command.refusals)
    assert command.recorded_as is None or command.recorded_as in rejected


@each_slice
def test_failure_events_lie_in_no_boundary(slice_: WriteSlice | ReadSlice) -> None:
    types = {event_type for item in slice_.boundary for event_type in item.event_types}
    assert types
    assert [event_type for event_type in types if event_type.endswith("Failed")] == []


@each_slice
def test_every_event_that_a_boundary_can_hold_carries_a_key_that_it_is_searched_by(
    slice_: WriteSlice | ReadSlice,
) -> None:
    for item in slice_.boundary:
        for event_type in item.event_types:
            assert can_be_found(event_type, item), f"{slice_.name} never finds a {event_type} by {item.keys}"


@each_command
def test_every_key_of_a_boundary_is_carried_by_some_event_of_it(command: WriteSlice) -> None:
    for item in command.boundary:
        carried = {key for event_type in item.event_types for key in keys_of(event_type)}
        assert set(item.keys) <= carried


def can_be_found(event_type: str, item: Alternative) -> bool:
    quantifier = all if item.all_keys else any
    return not item.keys or quantifier(key in keys_of(event_type) for key in item.keys)


def keys_of(event_type: str) -> tuple[str, ...]:
    keys: tuple[str, ...] = EVENT_CLASSES[event_type].__struct_encode_fields__
    return keys


@each_command
def test_a_command_writes_exactly_what_its_type_says(command: WriteSlice) -> None:
    seen: set[str] = set()
    for race in RACES.values():
        store = InMemoryEventStore()
        write(store, *race.given)
        for each in (race.quicker, race.slower):
            outcome = carry_out(each, store)
            if slice_of(each) == command.name and isinstance(outcome.decision, Append):
                seen |= {event.event_type for event in outcome.events}
    assert seen == set(command.happens)


@each_command
def test_the_guard_meets_exactly_the_types_that_the_map_draws(command: WriteSlice, engine: EventStore) -> None:
    """Each event about the command's own copy, reader, course or student comes between once.

    Guard and map both come from the slice's boundary, so this says nothing about the boundary itself. The races do.
    """
    granted_races = [race for race in RACES.values() if granted(race.given, race.slower) == command.name]
    race = max(granted_races, key=lambda race: len(boundary_of(race.slower).items))
    about = {field.name: getattr(race.slower, field.name) for field in dataclasses.fields(race.slower)}
    write(engine, *race.given)
    for event_type, event_class in EVENT_CLASSES.items():
        read = engine.query(boundary_of(race.slower))
        write(engine, event_of(event_class, about))
        disturbed = False
        try:
            engine.append(encoded(NEUTRAL), condition=read.append_condition)
        except ConcurrencyConflict:
            disturbed = True
        assert disturbed == (event_type in command.relevant), event_type


def granted(given: tuple[DomainEvent, ...], command: Command) -> str | None:
    """The name of the command's slice, if it has something to write after this history."""
    store = InMemoryEventStore()
    write(store, *given)
    return slice_of(command) if isinstance(carry_out(command, store).decision, Append) else None


def event_of(event_class: type[DomainEvent], about: dict[str, Any]) -> DomainEvent:
    """Such an event, about the same things as far as it names them."""
    made_up: dict[Any, Any] = {str: "something", int: 1, datetime: NOON}
    hints = {name: hint for name, hint in typing.get_type_hints(event_class).items() if name != "TYPE"}
    return event_class(**{name: about.get(name) or made_up[hint] for name, hint in hints.items()})


def test_a_return_may_disturb_the_end_of_a_contract_and_never_the_other_way_round() -> None:
    assert BY_NAME["cancel_reader_contract"].disturbed_by(BY_NAME["return_book_from_reader"])
    assert not BY_NAME["return_book_from_reader"].disturbed_by(BY_NAME["cancel_reader_contract"])


def test_the_library_and_the_school_never_disturb_each_other() -> None:
    for one in write_slices("lending"):
        for other in write_slices("enrollment"):
            assert not one.disturbed_by(other)
            assert not other.disturbed_by(one)
