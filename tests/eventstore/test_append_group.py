"""Requests carried out together are answered as if each had come by itself, after those before it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from eventstore import AppendCondition, Filter, FilterBuilder, P, StorableEvent, uuid7
from eventstore.filter_builder import CompleteItem
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.append_calls import Request
from eventstore.postgres.pool import Pool
from tests.eventstore.guarantee_checks import NOW

IDS = tuple(uuid7() for _ in range(8))
VALUES = st.sampled_from(["a", "b", 1, True, None, ["a"], {"deep": "a"}, 1.0])
TYPES = st.sampled_from(["A", "B"])
PAYLOADS = st.dictionaries(st.sampled_from(["K", "L"]), VALUES, max_size=2)
PREDICATES = st.lists(st.builds(P, st.sampled_from(["K", "L"]), VALUES), min_size=1, max_size=2).map(tuple)


@dataclass(frozen=True)
class Asked:
    """A request that does not know yet how long the log is.

    Attributes:
        back: how far its condition lies behind the head of the log; below 0 beyond it. None without a condition.
    """

    event: StorableEvent
    filter: Filter
    back: int | None

    def at(self, head: int) -> Request:
        condition = None if self.back is None else AppendCondition(self.filter, max(0, head - self.back))
        return Request((self.event,), condition, 0.0)


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    if draw(st.integers(0, 9)) == 0:
        return FilterBuilder().matching_any_event()
    builder = FilterBuilder().matching()
    kind = draw(st.sampled_from(["types", "any", "all", "types and any"]))
    first, *more = draw(PREDICATES)
    item: CompleteItem
    if kind == "any":
        item = builder.any_predicate_of(first, *more)
    elif kind == "all":
        item = builder.all_predicates_of(first, *more)
    else:
        typed = builder.any_event_type_of(draw(TYPES))
        item = typed.and_any_predicate_of(first, *more) if kind == "types and any" else typed
    return (
        item.or_matching().any_predicate_of(P("Never", "seen")).finalize() if draw(st.booleans()) else item.finalize()
    )


@st.composite
def events(draw: st.DrawFn, event_id: st.SearchStrategy[UUID]) -> StorableEvent:
    payload = json.dumps(draw(PAYLOADS)).encode()
    return StorableEvent.build(draw(TYPES), NOW, payload=payload, event_id=draw(event_id))


REQUESTS = st.lists(
    st.builds(
        Asked,
        events(st.sampled_from(IDS) | st.builds(uuid7)),
        filters(),
        st.none() | st.sampled_from([-1, 0, 0, 1, 3, 9]),
    ),
    min_size=2,
    max_size=6,
)


def answers(store: PostgresEventStore, groups: Sequence[Sequence[Request]]) -> list[tuple[object, ...]]:
    """All that is promised of an answer; of the head only what somebody is told."""
    found = [answer for group in groups for answer in store._appender._send(group)]
    return [
        (answer.status, answer.sequence_numbers, *answer[3:7], answer.status == "position unknown" and answer.head)
        for answer in found
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(events(st.sampled_from(IDS) | st.builds(uuid7)), max_size=5, unique_by=lambda event: event.event_id),
    REQUESTS,
)
def test_together_they_are_answered_as_one_after_the_other(
    two_stores: tuple[PostgresEventStore, PostgresEventStore], log: list[StorableEvent], asked: list[Asked]
) -> None:
    fresh = {known: uuid7() for known in IDS}  # what earlier examples stored is not known to this one
    before = [_renamed(event, fresh) for event in log]
    heads: list[int] = []
    opening = StorableEvent.build("Opening", NOW, payload=b"{}")  # nothing matches it but "any event"
    for store in two_stores:
        [*_, head] = store.append(opening, *before)
        heads.append(head)
    assert heads[0] == heads[1]
    requests = [Request((_renamed(each.event, fresh),), each.at(heads[0]).condition, 0.0) for each in asked]
    together, one_by_one = two_stores
    expected = answers(one_by_one, [[request] for request in requests])
    assert answers(together, [requests]) == expected


def _renamed(event: StorableEvent, fresh: dict[UUID, UUID]) -> StorableEvent:
    return StorableEvent(
        fresh.get(event.event_id, event.event_id), event.event_type, event.occurred_at, event.payload, event.metadata
    )


@pytest.fixture(scope="module")
def two_stores(pool: Pool) -> tuple[PostgresEventStore, PostgresEventStore]:
    """Two stores that get the same events."""
    stores = (
        PostgresEventStore(pool, f"together_{uuid7().hex[-12:]}"),
        PostgresEventStore(pool, f"alone_{uuid7().hex[-12:]}"),
    )
    for store in stores:
        store.create_schema()
    return stores


def inserts(dsn: str, table: str) -> int:
    """How many statements have inserted the events of the last transaction."""
    count = SQL(
        "SELECT count(DISTINCT cmin::text) FROM {0}"
        " WHERE xmin::text = (SELECT xmin::text FROM {0} ORDER BY sequence_number DESC LIMIT 1)"
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(count.format(Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


def _lent(book: str, after: int, *, guarded: bool = True, both: bool = False) -> Request:
    lent = FilterBuilder().matching().any_event_type_of("Lent")
    pairs = P("BookID", book), P("Of", "it")
    about_it = (lent.and_all_predicates_of(*pairs) if both else lent.and_any_predicate_of(*pairs)).finalize()
    event = StorableEvent.build("Lent", NOW, payload=json.dumps({"BookID": book}).encode())
    return Request((event,), AppendCondition(about_it, after) if guarded else None, 0.0)


def test_if_nothing_speaks_against_any_of_them_one_statement_inserts_all(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    store.append(StorableEvent.build("Other", NOW, payload=b'{"BookID": "z"}'))
    requests = [_lent("a", 0), _lent("b", 1), _lent("c", 0, guarded=False), _lent("d", 0, both=True)]
    assert [answer.sequence_numbers for answer in store._appender._send(requests)] == [[2], [3], [4], [5]]
    assert inserts(dsn, table) == 1


def test_unguarded_requests_among_them_do_not_make_the_guards_read_the_whole_log(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    noise = [StorableEvent.build("Noise", NOW, payload=b"{}") for _ in range(1100)]
    store.append(noise[0], *noise[1:])
    store._appender._send([_lent("a", 1100), _lent("b", 0, guarded=False)])
    assert inserts(dsn, table) == 1
    stale, fresh = store._appender._send([_lent("c", 101), _lent("d", 1102)])
    assert (stale.status, fresh.status) == ("stale", "appended")  # nobody reads so much under the lock


@pytest.mark.parametrize(
    "requests",
    [
        [_lent("a", 0), _lent("a", 0)],
        [_lent("z", 0), _lent("b", 1)],
        [_lent("a", 9), _lent("b", 1)],
    ],
    ids=["an earlier one among them", "a newer event", "a position that is none"],
)
def test_a_doubt_about_one_of_them_is_cleared_one_after_the_other(
    dsn: str, store: PostgresEventStore, table: str, requests: list[Request]
) -> None:
    store.append(StorableEvent.build("Lent", NOW, payload=b'{"BookID": "z"}'))
    statuses = [answer.status for answer in store._appender._send([*requests, _lent("d", 1)])]
    assert statuses.count("appended") == 2
