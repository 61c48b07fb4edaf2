"""Retry from the query on a conflict; repeat the same append while its outcome is unknown; report both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from eventstore import (
    AppendCondition,
    EventStore,
    EventStream,
    Filter,
    FilterBuilder,
    InMemoryEventStore,
    StorableEvent,
    StoreUnavailable,
)
from slices.codec import decode
from slices.command_loop import CommandLoop, Patience, TooMuchContention
from slices.decision import Append, Nothing, Reject
from slices.domain_event import DomainEvent
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import boundary
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.lending.rejections import BookAlreadyLent
from slices.origin import Origin
from slices.outcome import Conflict, Outcome, StoredEvent
from slices.testing import stored, write
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    RETURNED_BY_ANN,
    book_id,
    lent,
)
from tests.wrapped_store import WrappedStore

LEND_TO_BOB = LendBookToReader(BOOK, BOB, NOON)
PATIENT = Patience()
EVERYTHING = FilterBuilder().matching_any_event()


@dataclass
class StoreWithRival(WrappedStore):
    """A store in which something happens between query and append, once for each rival event."""

    rivals: list[DomainEvent]
    queries: list[Filter] = field(default_factory=list[Filter])

    def query(self, filter: Filter, **options: Any) -> EventStream:
        self.queries.append(filter)
        stream = super().query(filter, **options)
        if self.rivals:
            write(self.inner, self.rivals.pop(0))
        return stream


@dataclass
class StoreThatFails(WrappedStore):
    """A store whose appends run through a script: each step may store, raise, or both."""

    script: list[Callable[[Callable[[], list[int]]], list[int]]]
    queries: int = 0
    sent: list[tuple[tuple[StorableEvent, ...], AppendCondition | None]] = field(default_factory=list)

    def query(self, filter: Filter, **options: Any) -> EventStream:
        self.queries += 1
        return super().query(filter, **options)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None, **options: Any
    ) -> list[int]:
        self.sent.append(((first, *more), condition))
        step = self.script.pop(0) if self.script else works
        return step(lambda: super(StoreThatFails, self).append(first, *more, condition=condition, **options))


def works(append: Callable[[], list[int]]) -> list[int]:
    return append()


def commits_and_dies(append: Callable[[], list[int]]) -> list[int]:
    append()
    raise StoreUnavailable("the connection was lost after sending", outcome_unknown=True)


def dies_before_commit(_append: Callable[[], list[int]]) -> list[int]:
    raise StoreUnavailable("the connection was lost after sending", outcome_unknown=True)


def cannot_connect(_append: Callable[[], list[int]]) -> list[int]:
    raise StoreUnavailable("connection refused", outcome_unknown=False)


def log_of(store: EventStore) -> list[DomainEvent]:
    return [decode(event) for event in store.query(EVERYTHING)]


@dataclass
class Pauses:
    seconds: list[float] = field(default_factory=list[float])

    def loop(self, store: StoreWithRival | StoreThatFails | InMemoryEventStore, patience: Patience) -> CommandLoop:
        return CommandLoop(store, patience, sleep=self.seconds.append, draw=lambda _low, high: high)


def lend(store: StoreWithRival | StoreThatFails | InMemoryEventStore, patience: Patience = PATIENT) -> Outcome:
    return LendBookToReaderHandler(Pauses().loop(store, patience)).handle(LEND_TO_BOB, Origin.new())


def library() -> InMemoryEventStore:
    return stored(ADDED, ANN_REGISTERED, BOB_REGISTERED)


def test_a_decision_is_written_and_reported() -> None:
    store = library()
    outcome = lend(store)
    assert outcome.decision == Append(LENT_TO_BOB)
    assert outcome.events == (StoredEvent(4, "BookCopyLentToReader"),)
    assert log_of(store)[-1] == LENT_TO_BOB
    assert (len(outcome.report.attempts), outcome.report.conflicts) == (1, ())
    assert (outcome.report.read_up_to, outcome.report.events_read) == (3, 2)
    assert outcome.report.querying > 0
    assert outcome.report.deciding > 0
    assert outcome.report.appending > 0
    assert outcome.report.waited == 0


def test_nothing_to_do_writes_nothing() -> None:
    store = stored(ADDED, BOB_REGISTERED, LENT_TO_BOB)
    outcome = lend(store)
    assert (outcome.decision, outcome.events) == (Nothing(), ())
    assert len(log_of(store)) == 3
    assert outcome.report.attempts[0].appends == 0


def test_a_refusal_is_put_on_record_without_a_condition() -> None:
    store = StoreThatFails(stored(ADDED, BOB_REGISTERED, LENT_TO_ANN), [])
    outcome = lend(store)
    assert isinstance(outcome.decision, Reject)
    assert outcome.events == (StoredEvent(4, "LendingBookToReaderFailed"),)
    [(_, condition)] = store.sent
    assert condition is None


def test_an_append_is_guarded_by_the_filter_of_the_query() -> None:
    store = StoreThatFails(library(), [])
    lend(store)
    [(_, condition)] = store.sent
    assert condition is not None
    assert condition.after == 3
    assert condition.filter == boundary(LEND_TO_BOB)


def test_a_conflict_leads_back_to_the_query_and_to_a_new_decision() -> None:
    store = StoreWithRival(library(), [LENT_TO_ANN])
    outcome = lend(store)
    assert len(store.queries) == 2
    assert isinstance(outcome.decision, Reject)
    assert outcome.decision.reason == BookAlreadyLent(BOOK, ANN)
    assert LENT_TO_BOB not in log_of(store.inner)


def test_a_conflict_that_changes_nothing_only_costs_an_attempt() -> None:
    store = StoreWithRival(library(), [lent(OTHER_BOOK, BOB)])
    outcome = lend(store)
    assert outcome.decision == Append(LENT_TO_BOB)
    [conflict] = outcome.report.conflicts
    assert conflict == Conflict(4, "BookCopyLentToReader", str(store.queries[0].items[0]), after=3)
    assert (len(outcome.report.attempts), outcome.report.read_up_to) == (2, 4)


def test_events_outside_the_boundary_are_no_conflict() -> None:
    outcome = lend(StoreWithRival(library(), [lent(OTHER_BOOK, ANN)]))
    assert outcome.report.conflicts == ()
    assert outcome.events == (StoredEvent(5, "BookCopyLentToReader"),)


def test_event_ids_are_the_same_in_each_attempt() -> None:
    store = StoreWithRival(library(), [LENT_TO_ANN, RETURNED_BY_ANN])
    origin = Origin.new()
    LendBookToReaderHandler(CommandLoop(store)).handle(LEND_TO_BOB, origin)
    assert [event.event_id for event in store.inner.query(EVERYTHING)][-1] == origin.event_id(0)
    assert origin.event_id(0) == origin.event_id(0) != origin.event_id(1)


def test_after_the_last_attempt_the_loop_gives_up() -> None:
    rivals: list[DomainEvent] = [lent(book_id(number), BOB) for number in range(5)]
    store = StoreWithRival(library(), rivals)
    with pytest.raises(TooMuchContention, match="given up after 3 attempts") as caught:
        lend(store, Patience(attempts=3))
    assert [conflict.sequence_number for conflict in caught.value.report.conflicts] == [4, 5, 6]
    assert LENT_TO_BOB not in log_of(store.inner)


def test_pauses_double_up_to_the_longest() -> None:
    pauses = Pauses()
    rivals: list[DomainEvent] = [lent(book_id(number), BOB) for number in range(5)]
    loop = pauses.loop(StoreWithRival(library(), rivals), Patience(first_pause=1, longest_pause=5))
    outcome = LendBookToReaderHandler(loop).handle(LEND_TO_BOB, Origin.new())
    assert pauses.seconds == [1, 2, 4, 5, 5]
    assert outcome.report.waited == 17


def test_an_append_whose_outcome_is_unknown_is_repeated_and_written_once() -> None:
    store = StoreThatFails(library(), [commits_and_dies])
    outcome = lend(store)
    assert outcome.decision == Append(LENT_TO_BOB)
    assert outcome.events == (StoredEvent(4, "BookCopyLentToReader"),)
    assert log_of(store.inner).count(LENT_TO_BOB) == 1
    assert store.sent[0] == store.sent[1]
    assert (store.queries, outcome.report.attempts[0].appends) == (1, 2)


def test_an_append_that_never_arrived_is_repeated_too() -> None:
    store = StoreThatFails(library(), [dies_before_commit, cannot_connect, cannot_connect])
    outcome = lend(store)
    assert log_of(store.inner).count(LENT_TO_BOB) == 1
    assert (store.queries, outcome.report.attempts[0].appends) == (1, 4)


def test_a_failure_event_of_unknown_outcome_is_written_once() -> None:
    store = StoreThatFails(stored(ADDED, BOB_REGISTERED, LENT_TO_ANN), [commits_and_dies])
    assert lend(store).events == (StoredEvent(4, "LendingBookToReaderFailed"),)
    assert len(log_of(store.inner)) == 4


def test_a_conflict_tells_that_the_lost_append_was_not_committed_so_deciding_anew_is_right() -> None:
    inner = library()

    def dies_and_a_rival_comes(_append: Callable[[], list[int]]) -> list[int]:
        write(inner, LENT_TO_ANN)
        raise StoreUnavailable("the connection was lost after sending", outcome_unknown=True)

    outcome = lend(StoreThatFails(inner, [dies_and_a_rival_comes]))
    assert isinstance(outcome.decision, Reject)
    assert [attempt.appends for attempt in outcome.report.attempts] == [2, 1]
    assert LENT_TO_BOB not in log_of(inner)


def test_while_the_outcome_stays_unknown_nothing_is_decided_anew_and_the_error_says_so() -> None:
    store = StoreThatFails(library(), [commits_and_dies, cannot_connect, cannot_connect])
    with pytest.raises(StoreUnavailable) as caught:
        lend(store, Patience(appends=3))
    assert caught.value.outcome_unknown
    assert store.queries == 1
    assert len({events for events, _ in store.sent}) == 1


def test_a_store_that_surely_wrote_nothing_is_not_bothered_again() -> None:
    store = StoreThatFails(library(), [cannot_connect])
    with pytest.raises(StoreUnavailable) as caught:
        lend(store)
    assert not caught.value.outcome_unknown
    assert len(store.sent) == 1


@pytest.mark.parametrize("patience", [{"attempts": 0}, {"appends": 0}])
def test_patience_allows_at_least_one_try(patience: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Patience(**patience)


def test_a_command_that_is_repeated_names_the_new_thing_the_same() -> None:
    origin = Origin.new()
    assert origin.new_id == origin.new_id != Origin.new().new_id
