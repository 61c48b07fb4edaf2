"""Many writers, few prizes: every guard holds on our engines, and the race sees whatever a store does wrong."""

from collections.abc import Generator
from typing import Any

import pytest

from eventstore import ConcurrencyConflict, EventStore, InMemoryEventStore, StorableEvent
from eventstore.testing.arena import arena
from eventstore.testing.oracle import Claim, LostGuard, lost_guards
from eventstore.testing.port import RaceStore, refusal
from eventstore.testing.race import free_race, race_for_prizes
from eventstore.testing.twins import CONTENDERS
from tests.wrapped_store import WrappedStore

WRITERS = 8


@pytest.fixture
def cte_guard(dsn: str) -> Generator[RaceStore]:
    with arena(CONTENDERS["cte-guard"].subject, dsn) as place, place.open("writers", WRITERS) as store:
        yield store


def test_of_eight_writers_one_wins_each_of_100_prizes(engine: EventStore) -> None:
    report = race_for_prizes(engine, writers=WRITERS, rounds=100)
    assert report.is_clean, str(report)
    assert (report.accepted, report.conflicts) == (100, 100 * 7)
    assert str(report) == "100 rounds: 100 accepted, 700 refused, every guard held"


def test_no_guard_is_lost_in_a_free_loop(engine: EventStore) -> None:
    report = free_race(engine, writers=WRITERS, rounds=110)  # one lap and a bit
    assert report.is_clean, str(report)
    assert report.accepted + report.conflicts == 110 * WRITERS
    assert report.conflicts, "nobody met anybody: this was no race"


def test_a_guard_in_one_statement_lets_several_writers_win(cte_guard: RaceStore) -> None:
    report = race_for_prizes(cte_guard, writers=WRITERS, rounds=300)
    assert report.several_winners > 0, str(report)
    assert report.lost_guards
    assert f"{len(report.lost_guards):,} lost guards, {report.several_winners:,} prizes with several" in str(report)


def test_the_oracle_sees_a_lost_guard_in_a_free_loop(cte_guard: RaceStore) -> None:
    report = free_race(cte_guard, writers=WRITERS, rounds=150, prizes=2)
    lost = report.lost_guards
    assert lost, str(report)
    assert all(isinstance(one, LostGuard) and one.overlooked < one.accepted for one in lost)
    assert lost_guards([]) == []


class RefusesEverything(WrappedStore):
    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        raise refusal(options["condition"])


def test_a_prize_that_nobody_gets_is_seen() -> None:
    report = race_for_prizes(RefusesEverything(InMemoryEventStore()), writers=2, rounds=3)
    assert (report.no_winner, report.conflicts, report.accepted) == (3, 6, 0)
    assert report.verdict == "3 prizes without a winner"
    assert not report.is_clean


class ForgetsToStore(WrappedStore):
    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        return [1]


def test_an_acknowledged_claim_that_is_not_there_is_seen() -> None:
    report = free_race(ForgetsToStore(InMemoryEventStore()), writers=2, rounds=3)
    assert report.unaccounted == 6
    assert report.verdict == "6 claims unaccounted for"


class RefusesAndStores(WrappedStore):
    """The answer to a success is a conflict, as if the append had been tried twice on the way."""

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        super().append(first, *more, **options)
        raise refusal(options["condition"])


def test_a_refused_claim_that_is_there_is_seen() -> None:
    report = race_for_prizes(RefusesAndStores(InMemoryEventStore()), writers=2, rounds=3)
    assert report.unaccounted == 3
    assert not report.is_clean


class Fails(WrappedStore):
    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        raise ZeroDivisionError


@pytest.mark.parametrize("race", [race_for_prizes, free_race])
def test_an_error_of_a_writer_ends_the_race_and_is_raised(race: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        race(Fails(InMemoryEventStore()), writers=3, rounds=5)


@pytest.mark.parametrize("race", [race_for_prizes, free_race])
def test_the_race_tells_how_far_it_is(race: Any) -> None:
    told: list[int] = []
    race(InMemoryEventStore(), writers=2, rounds=5, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 5


def test_the_conflict_of_a_store_that_knows_no_more_says_what_it_knows(engine: EventStore) -> None:
    condition = engine.query(Claim("gold", "red").boundary).append_condition
    conflict = refusal(condition)
    assert isinstance(conflict, ConcurrencyConflict)
    assert (conflict.after, conflict.filter_item) == (0, str(condition.filter))
