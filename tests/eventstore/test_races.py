"""Many writers, few prizes: every guard holds on our engines, and the oracle sees through the seed's."""

from eventstore import EventStore
from eventstore.postgres.pool import Pool
from eventstore.testing.oracle import LostGuard, lost_guards
from eventstore.testing.race import free_race, race_for_prizes
from eventstore.testing.seed_store import SeedEventStore


def test_of_eight_writers_one_wins_each_of_300_prizes(engine: EventStore) -> None:
    report = race_for_prizes(engine, writers=8, rounds=300)
    assert report.is_clean, str(report)
    assert (report.accepted, report.conflicts) == (300, 300 * 7)


def test_no_guard_is_lost_in_a_free_loop(engine: EventStore) -> None:
    report = free_race(engine, writers=8, rounds=100)
    assert report.is_clean, str(report)
    assert report.conflicts, "nobody met anybody: this was no race"


def test_the_seeds_statement_lets_several_writers_win(pool: Pool, table: str) -> None:
    store = SeedEventStore(pool, table)
    store.create_schema()
    report = race_for_prizes(store, writers=8, rounds=300)
    assert report.several_winners > 0, str(report)
    assert report.lost_guards


def test_the_oracle_sees_a_lost_guard_in_a_free_loop(pool: Pool, table: str) -> None:
    store = SeedEventStore(pool, table)
    store.create_schema()
    report = free_race(store, writers=8, rounds=150, prizes=2)
    lost = report.lost_guards
    assert lost, str(report)
    assert all(isinstance(one, LostGuard) and one.read_up_to < one.overlooked < one.accepted for one in lost)
    assert lost_guards([]) == []
