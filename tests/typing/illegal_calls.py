"""Calls of a store that must stay illegal, and engines that are none. Never run: only type checkers read it.

Each line carries the error that it must give. Should one become legal, its comment is unused, which fails mypy.
"""

from datetime import UTC, datetime

from eventstore import (
    AppendCondition,
    EventStore,
    Filter,
    FilterBuilder,
    P,
    SequencedEvent,
    StorableEvent,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = FilterBuilder().matching_any_event()
START = FilterBuilder().matching()


def appends(store: EventStore, event: StorableEvent, stored: SequencedEvent) -> None:
    # At least one event, each an argument of its own.
    store.append()  # type: ignore[call-arg]
    store.append([event])  # type: ignore[arg-type]
    store.append(event, [event])  # type: ignore[arg-type]
    store.append(first=event)  # type: ignore[call-arg]
    store.append(None)  # type: ignore[arg-type]

    # An event that is to be stored: not a name, and not one that is stored already.
    store.append("Lent")  # type: ignore[arg-type]
    store.append(stored)  # type: ignore[arg-type]
    store.append(event, stored)  # type: ignore[arg-type]

    # A condition is named, and made of a filter and a position.
    condition = AppendCondition(EVERYTHING, 0)
    store.append(event, condition)  # type: ignore[arg-type]
    store.append(condition=condition)  # type: ignore[call-arg]
    store.append(event, condition=EVERYTHING)  # type: ignore[arg-type]
    store.append(event, condition=0)  # type: ignore[arg-type]
    store.append(event, condition=store.query(EVERYTHING))  # type: ignore[arg-type]
    store.append(event, condition=(EVERYTHING, 0))  # type: ignore[arg-type]
    store.append(event, after=0)  # type: ignore[call-arg]

    # It returns a number for each event.
    int(store.append(event))  # type: ignore[call-overload]


def conditions(store: EventStore) -> None:
    stream = store.query(EVERYTHING)

    # A filter and a position, in this order, both given.
    AppendCondition()  # type: ignore[call-arg]
    AppendCondition(EVERYTHING)  # type: ignore[call-arg]
    AppendCondition(after=0)  # type: ignore[call-arg]
    AppendCondition(0, EVERYTHING)  # type: ignore[arg-type]
    AppendCondition(EVERYTHING, None)  # type: ignore[arg-type]
    AppendCondition(EVERYTHING, "0")  # type: ignore[arg-type]
    AppendCondition(EVERYTHING, 0.5)  # type: ignore[arg-type]
    AppendCondition(EVERYTHING, stream)  # type: ignore[arg-type]
    AppendCondition(stream, stream.position)  # type: ignore[arg-type]
    AppendCondition(START.any_event_type_of("A"), 0)  # type: ignore[arg-type]
    AppendCondition([EVERYTHING], 0)  # type: ignore[arg-type]

    # What was read never changes, nor does what it is guarded with.
    stream.append_condition.after = 0  # type: ignore[misc]
    stream.append_condition.filter = EVERYTHING  # type: ignore[misc]
    stream.append_condition = AppendCondition(EVERYTHING, 0)  # type: ignore[misc]
    stream.append_condition()  # type: ignore[operator]
    stream.position = 0  # type: ignore[misc]
    stream.events.append(stream.events[0])  # type: ignore[attr-defined]
    stream.events[0].payload = b"{}"  # type: ignore[misc]


def queries(store: EventStore) -> None:
    # A finished filter, and one only.
    store.query()  # type: ignore[call-arg]
    store.query(None)  # type: ignore[arg-type]
    store.query(FilterBuilder())  # type: ignore[arg-type]
    store.query(START)  # type: ignore[arg-type]
    store.query(START.any_event_type_of("A"))  # type: ignore[arg-type]
    store.query(FilterBuilder().up_to(3))  # type: ignore[arg-type]
    store.query(P("K", 1))  # type: ignore[arg-type]
    store.query("Lent")  # type: ignore[arg-type]
    store.query([EVERYTHING])  # type: ignore[arg-type]
    store.query(EVERYTHING, EVERYTHING)  # type: ignore[call-arg,arg-type]

    # Options are named and are what they are called.
    store.query(EVERYTHING, 10)  # type: ignore[call-arg]
    store.query(EVERYTHING, limit="10")  # type: ignore[arg-type]
    store.query(EVERYTHING, limit=0.5)  # type: ignore[arg-type]
    store.query(EVERYTHING, backwards="yes")  # type: ignore[arg-type]
    store.query(EVERYTHING, backwards=None)  # type: ignore[arg-type]
    store.query(EVERYTHING, consistency="eventual")  # type: ignore[arg-type]
    store.query(EVERYTHING, at_least="3")  # type: ignore[arg-type]
    store.query(EVERYTHING, up_to=3)  # type: ignore[call-arg]

    store.stream()  # type: ignore[call-arg]
    store.stream(START)  # type: ignore[arg-type]
    store.stream(EVERYTHING, limit=3)  # type: ignore[call-arg]
    len(store.stream(EVERYTHING))  # type: ignore[arg-type]


def events() -> None:
    # The payload is bytes and named, the time a datetime.
    StorableEvent.build("A", NOON)  # type: ignore[call-arg]
    StorableEvent.build("A", NOON, b"{}")  # type: ignore[call-arg]
    StorableEvent.build("A", NOON, payload="{}")  # type: ignore[arg-type]
    StorableEvent.build("A", NOON, payload={})  # type: ignore[arg-type]
    StorableEvent.build("A", payload=b"{}")  # type: ignore[call-arg]
    StorableEvent.build("A", "2026-03-01", payload=b"{}")  # type: ignore[arg-type]
    StorableEvent.build(None, NOON, payload=b"{}")  # type: ignore[arg-type]
    StorableEvent.build("A", NOON, payload=b"{}", event_id="1")  # type: ignore[arg-type]


class WithoutConditions:
    """It lacks what an event store is for."""

    def append(self, first: StorableEvent, /, *more: StorableEvent) -> list[int]:
        return [0 for _ in (first, *more)]


class WithoutOptions:
    """Its query knows neither limit nor direction."""

    def query(self, filter: Filter) -> list[SequencedEvent]:
        return [event for event in list[SequencedEvent]() if filter.matches(event)]


not_a_store: EventStore = WithoutConditions()  # type: ignore[assignment]
not_one_either: EventStore = WithoutOptions()  # type: ignore[assignment]
