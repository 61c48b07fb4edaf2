"""For any log and any filter: both engines, the guard, and the filter's meaning in Python say the same.

The two stores are kept in step through all examples, which is quicker than a new table for each of them.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from eventstore import (
    AppendCondition,
    EventStore,
    EventStoreError,
    EventStream,
    Filter,
    FilterItem,
    InMemoryEventStore,
    P,
    StorableEvent,
    uuid7,
)
from eventstore.json_values import as_jsonb_text, parse
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import EVERYTHING

START = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = ("K", "O'Brien")
TYPES = ("Added", "Lent", "O'Brien %s {} ?")
SCALARS = ("1", "1.0", "1E0", '"1"', "true", "false", "null", "0", "-0", "100", "1E2", "0.1", '""', '"O\'Brien"')

examples = settings(deadline=None, max_examples=120, database=None, phases=(Phase.generate, Phase.shrink))
moments = st.integers(0, 4).map(lambda hours: START + timedelta(hours=hours))
types = st.sampled_from(TYPES)
scalars = (
    st.sampled_from(SCALARS[:5])
    | st.sampled_from(SCALARS)
    | st.integers().map(str)
    | st.text("a'\"\\%\n😀", max_size=3).map(json.dumps)
)


def objects(values: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[str]:
    """JSON objects as text; a key may occur twice."""
    pairs = st.lists(st.tuples(st.sampled_from(KEYS), values), min_size=least, max_size=most)
    return pairs.map(lambda some: "{" + ",".join(f" {json.dumps(key)}:{value} " for key, value in some) + "}")


def arrays(values: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=least, max_size=most).map(lambda some: "[" + ", ".join(some) + "]")


def nested(least: int) -> st.SearchStrategy[str]:
    """Values of which every array and object has at least so many elements."""
    inner = objects(scalars, least, 2) | arrays(scalars, least, 3)
    return scalars | inner | arrays(inner, least, 2) | objects(inner, least, 2)


few = st.sampled_from(("1", "1.0", '"1"', "true"))
payloads = objects(few, 1, 3) | objects(few, 1, 3) | objects(nested(0), 0, 4)
predicates = st.builds(
    lambda key, text: P(key, json.loads(text, parse_float=Decimal)), st.sampled_from(KEYS), scalars | nested(1)
)
common_predicates = st.sampled_from([P(key, value) for key in KEYS for value in (1, "1", True)])
some_types = st.lists(types, min_size=1, max_size=3).map(tuple)
several_predicates = (
    st.lists(common_predicates, min_size=2, max_size=3).map(tuple)
    | st.lists(predicates, min_size=1, max_size=3).map(tuple)
)  # fmt: skip
items = (
    st.builds(FilterItem, st.just(()), several_predicates, st.booleans())
    | st.builds(FilterItem, some_types, several_predicates, st.booleans())
    | st.builds(FilterItem, some_types)
)
filters = (
    items.map(lambda item: Filter(items=(item,)))
    | st.builds(Filter, items=st.lists(items, min_size=1, max_size=3).map(tuple))
    | st.just(EVERYTHING)
)
bounded_filters = st.builds(
    replace,
    filters,
    occurred_from=st.none() | st.none() | moments,
    occurred_until=st.none() | st.none() | moments,
)
logs = st.lists(st.tuples(types, moments, payloads), min_size=1, max_size=8)


def events_of(log: list[tuple[str, datetime, str]]) -> list[StorableEvent]:
    return [StorableEvent.build(kind, moment, payload=payload.encode()) for kind, moment, payload in log]


class Twins:
    """A store of each kind with the same events."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._renew()

    def _renew(self) -> None:
        self.memory = InMemoryEventStore()
        self.postgres = PostgresEventStore(self._pool, f"twins_{uuid7().hex}")
        self.postgres.create_schema()

    def begin(self) -> int:
        """The head of both; after an example in which they differed, they begin anew."""
        heads = {store.query(EVERYTHING, limit=1).position for store in (self.memory, self.postgres)}
        if len(heads) > 1:
            self._renew()
            return 0
        return heads.pop()

    def append(self, *events: StorableEvent, condition: AppendCondition | None = None) -> str | list[int]:
        outcomes = [outcome(store, events, condition) for store in (self.memory, self.postgres)]
        assert outcomes[0] == outcomes[1]
        return outcomes[0]

    def query(self, filter: Filter, limit: int | None = None, backwards: bool = False) -> EventStream:
        found = self.postgres.query(filter, limit=limit, backwards=backwards)
        assert found == self.memory.query(filter, limit=limit, backwards=backwards)
        return found


def outcome(store: EventStore, events: tuple[StorableEvent, ...], condition: AppendCondition | None) -> str | list[int]:
    """The numbers, or the error in a form that both engines can share."""
    try:
        return store.append(*events, condition=condition)
    except EventStoreError as error:
        shared = {name: value for name, value in vars(error).items() if not name.startswith("_")}
        return f"{type(error).__name__} {shared}"


@pytest.fixture(scope="module")
def twins(pool: Pool) -> Twins:
    return Twins(pool)


@examples
@given(
    log=logs,
    filter=bounded_filters,
    higher_than=st.just(0) | st.integers(0, 8),
    up_to=st.none() | st.integers(0, 9),
    limit=st.none() | st.integers(1, 9),
    backwards=st.booleans(),
)
def test_a_query_finds_the_same_in_both_engines_and_in_python(
    *,
    twins: Twins,
    log: list[tuple[str, datetime, str]],
    filter: Filter,
    higher_than: int,
    up_to: int | None,
    limit: int | None,
    backwards: bool,
) -> None:
    before = twins.begin()
    twins.append(*events_of(log))
    wanted = replace(
        filter,
        sequence_number_higher_than=before + higher_than,
        up_to=None if up_to is None else before + up_to,
    )
    new = twins.query(EVERYTHING.after_sequence_number(before)).events
    assert [stored.payload for stored in new] == [as_jsonb_text(parse(text.encode())).encode() for _, _, text in log]
    meant = [stored for stored in new if wanted.matches(stored)]
    assert list(twins.query(wanted)) == meant
    event("something matches" if meant else "nothing matches")
    ordered = meant[::-1] if backwards else meant
    assert list(twins.query(wanted, limit, backwards)) == ordered[:limit]


@examples
@given(log=logs, filter=bounded_filters, after=st.integers(0, 8), following=st.integers(1, 2))
def test_a_guard_refuses_exactly_what_its_query_finds(
    twins: Twins, log: list[tuple[str, datetime, str]], filter: Filter, after: int, following: int
) -> None:
    before = twins.begin()
    twins.append(*events_of(log))
    after = before + min(after, len(log))
    items = Filter(items=filter.items, any_event=filter.any_event)
    newer = twins.query(items.after_sequence_number(after))
    guarded = events_of([("Guarded", START, "{}")] * following)
    answer = twins.append(*guarded, condition=AppendCondition(filter, after))
    event("conflict" if newer else "no conflict")
    if newer:
        first = newer.events[0]
        assert isinstance(answer, str)
        assert answer.startswith("ConcurrencyConflict")
        assert f"sequence_number={first.sequence_number}," in answer
        assert f"'after': {after}, 'head': {before + len(log)}" in answer
        item = items.matching_item(first.event_type, parse(first.payload))
        assert f"'filter_item': {'any event' if item is None else str(item)!r}" in answer
    else:
        assert answer == [newer.position + 1 + index for index in range(following)]


few_payloads = st.sampled_from(('{"K": 1}', '{"K":1.0}', '{"K": true}', "{}"))
few_events = st.tuples(st.integers(0, 9), st.sampled_from(TYPES[:2]), few_payloads)
conditions = st.none() | st.tuples(bounded_filters, st.integers(0, 3))
appends = st.lists(st.tuples(st.lists(few_events, min_size=1, max_size=2), conditions), min_size=1, max_size=8)


@examples
@given(appends=appends)
def test_appends_with_few_ids_and_any_condition_end_alike_in_both_engines(
    twins: Twins, appends: list[tuple[list[tuple[int, str, str]], tuple[Filter, int] | None]]
) -> None:
    before = twins.begin()
    ids = [uuid7() for _ in range(10)]
    for batch, guard in appends:
        events = [
            StorableEvent.build(kind, START, payload=payload.encode(), event_id=ids[number])
            for number, kind, payload in batch
        ]
        condition = None if guard is None else AppendCondition(guard[0], before + guard[1])
        answer = twins.append(*events, condition=condition)
        event(answer.split()[0] if isinstance(answer, str) else "numbers")
    twins.query(EVERYTHING.after_sequence_number(before))
