"""For any log and any filter: the engine answers as `InMemoryEventStore` does, and guards what its query finds.

Every example brings its own events and continues where the log of the engine ends; positions are translated, so an
engine may leave gaps.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from eventstore import json_values
from eventstore.errors import ConcurrencyConflict, EventStoreError, PositionUnknown
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import HIGHEST_POSITION, Filter, FilterItem, P
from eventstore.identifiers import uuid7
from eventstore.memory import InMemoryEventStore
from eventstore.store import AppendCondition, EventStore
from eventstore.testing.contract import strategies
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.examples import EVERYTHING
from eventstore.testing.contract.strategies import START, Questions

examples = settings(
    deadline=None,
    database=None,
    # One engine serves all examples, and one test serves all engines.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)

_types = st.sampled_from(strategies.TYPES[:2])
_payloads = st.sampled_from(('{"K": 1}', '{"K":1.0}', '{"K": true}', "{}"))
_batches = st.lists(st.tuples(st.integers(0, 19), _types, _payloads), min_size=1, max_size=2)
_items = st.builds(FilterItem, st.lists(_types, max_size=2).map(tuple), st.just((P("K", 1),))) | st.builds(
    FilterItem, st.tuples(_types)
)
_filters = st.just(EVERYTHING) | st.builds(
    Filter, items=st.lists(_items, min_size=1, max_size=2).map(tuple), up_to=st.none() | st.integers(0, 3)
)
_conditions = st.none() | st.builds(AppendCondition, _filters, st.just(0) | st.integers(0, 5))
_appends = st.lists(st.tuples(_batches, _conditions), min_size=1, max_size=8)


class AnyLog(Part):
    """Agreement with the in-memory engine, whatever is stored and whatever is asked."""

    @examples
    @given(questions=strategies.questions(), limit=st.none() | st.integers(1, 9), backwards=st.booleans())
    def test_for_any_log_a_query_finds_what_the_in_memory_engine_finds(
        self, engine: EventStore, questions: Questions, limit: int | None, backwards: bool
    ) -> None:
        pair = _Pair(engine)
        pair.append(*strategies.events_of(questions.log))
        for filter in questions.filters:
            found = pair.query(filter, limit, backwards)
            event(f"{'all' if found == len(questions.log) else 'some' if found else 'no'} events match")

    @examples
    @given(questions=strategies.questions(), after=st.integers(0, 8), following=st.integers(1, 2))
    def test_for_any_log_the_guard_refuses_exactly_what_the_query_finds(
        self, engine: EventStore, questions: Questions, after: int, following: int
    ) -> None:
        pair = _Pair(engine, explained=self.engine_has(Ability.EXPLAINED_CONFLICTS))
        pair.append(*strategies.events_of(questions.log))
        after = min(after, len(questions.log))
        for filter in questions.filters:
            items = Filter(items=filter.items, any_event=filter.any_event)
            newer = engine.query(items.after_sequence_number(pair.position(after)))
            guarded = strategies.events_of([("Guarded", START, "{}")] * following)
            answer = pair.append(*guarded, condition=AppendCondition(filter, after))
            assert isinstance(answer, ConcurrencyConflict) == bool(newer.events)
            event("conflict" if newer else "no conflict")

    @needs(Ability.EXACTLY_ONCE, Ability.FOREIGN_POSITIONS)
    @examples
    @given(appends=_appends)
    def test_for_any_ids_and_conditions_appends_end_as_in_the_in_memory_engine(
        self, engine: EventStore, appends: list[tuple[list[tuple[int, str, str]], AppendCondition | None]]
    ) -> None:
        pair = _Pair(engine, explained=self.engine_has(Ability.EXPLAINED_CONFLICTS))
        ids = [uuid7() for _ in range(20)]
        for batch, condition in appends:
            events = [
                StorableEvent.build(kind, START, payload=payload.encode(), event_id=ids[number])
                for number, kind, payload in batch
            ]
            answer = pair.append(*events, condition=condition)
            event(type(answer).__name__)
        pair.query(EVERYTHING.after_sequence_number(0))


class _Pair:
    """The engine beside a new `InMemoryEventStore` that gets the same events. Positions are those of the latter."""

    def __init__(self, engine: EventStore, *, explained: bool = True) -> None:
        self._engine = engine
        self._memory = InMemoryEventStore()
        self._explained = explained
        self._positions = [engine.query(EVERYTHING, limit=1, backwards=True).position]

    def position(self, count: int) -> int:
        """The engine's position for that of the in-memory engine."""
        beyond = count - len(self._positions) + 1
        if beyond <= 0:
            return self._positions[count]
        return min(self._positions[-1] + beyond, HIGHEST_POSITION)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int] | EventStoreError:
        """Append to both and compare the numbers, or the error with all it says."""
        expected: list[int] | EventStoreError
        found: list[int] | EventStoreError
        try:
            expected = self._memory.append(first, *more, condition=condition)
        except EventStoreError as error:
            expected = error
        if condition is not None:
            condition = AppendCondition(condition.filter, self.position(condition.after))
        try:
            found = self._engine.append(first, *more, condition=condition)
        except EventStoreError as error:
            found = error
        if isinstance(expected, EventStoreError):
            assert isinstance(found, EventStoreError), f"{found} although: {expected}"
            assert self._content_of_error(expected, self.position) == self._content_of_error(found, int)
            return expected
        assert not isinstance(found, EventStoreError), found
        assert len(found) == len(expected)
        for number, position in zip(expected, found, strict=True):
            if number == len(self._positions):
                assert position > self._positions[-1]
                self._positions.append(position)
            assert position == self._positions[number]
        return expected

    def query(self, filter: Filter, limit: int | None = None, backwards: bool = False) -> int:
        """Query both, compare the answers with each other and with `Filter.matches`; return how many events match."""
        asked, beginning = self._translated(filter), self._positions[0]
        expected, whole = self._memory.query(filter), self._engine.query(asked)
        new = [stored for stored in whole if stored.sequence_number > beginning]
        assert [_content(stored, int) for stored in new] == [_content(stored, self.position) for stored in expected]
        log = self._engine.query(EVERYTHING.after_sequence_number(beginning))
        assert [stored for stored in log if asked.matches(stored)] == new
        assert whole.position == self.position(expected.position)
        assert bool(whole.cut_off) == bool(expected.cut_off)
        assert tuple(self._engine.stream(asked)) == whole.events
        part = self._engine.query(asked, limit=limit, backwards=backwards)
        assert part.events == (whole.events[::-1] if backwards else whole.events)[:limit]
        if asked.sequence_number_higher_than is not None:  # else older examples are found as well
            assert len(whole) == len(new)
            assert bool(part.cut_off) == bool(self._memory.query(filter, limit=limit, backwards=backwards).cut_off)
        return len(new)

    def _translated(self, filter: Filter) -> Filter:
        after, up_to = filter.sequence_number_higher_than, filter.up_to
        return replace(
            filter,
            sequence_number_higher_than=None if after is None else self.position(after),
            up_to=None if up_to is None else self.position(up_to),
        )

    def _content_of_error(self, error: EventStoreError, position: Callable[[int], int]) -> tuple[object, ...]:
        match error:
            case ConcurrencyConflict(event=met) if self._explained:
                where = (position(met.sequence_number), position(error.after), position(error.head))
                return (type(error), *where, met.event_type, met.event_id, error.filter_item)
            case PositionUnknown():
                return (type(error), position(error.after), position(error.head))
            case _:
                return (type(error),)


def _content(stored: SequencedEvent, position: Callable[[int], int]) -> tuple[int, UUID, str, datetime, str, str]:
    """What must be equal: JSON by its value, since an engine may keep the spelling that it was given."""
    return (
        position(stored.sequence_number),
        stored.event_id,
        stored.event_type,
        stored.occurred_at,
        json_values.canonical_text(json_values.parse(stored.payload)),
        json_values.canonical_text(json_values.parse(stored.metadata)),
    )
