"""Which reads the replica answers, and how: up to date, lagging, waited for, and never for what must be strong."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from eventstore import AppendCondition, ConcurrencyConflict, Consistency, PositionUnknown, StoreUnavailable
from eventstore.postgres import PostgresEventStore, replica
from eventstore.postgres.pool import Pool
from tests.eventstore.guarantee_checks import EVERYTHING, about, event
from tests.eventstore.replication.servers import Servers, ask, wait_until

EVENTUAL = Consistency.EVENTUAL


def test_an_up_to_date_replica_answers(
    servers: Servers, replicated: PostgresEventStore, on_replica_only: PostgresEventStore
) -> None:
    replicated.append(*[event("Lent", BookID=book) for book in ("a", "b", "a", "c")])
    servers.wait_until_caught_up()
    choices: list[dict[str, Any]] = [{}, {"limit": 1}, {"limit": 1, "backwards": True}, {"at_least": 4}]
    for options in choices:
        for filter in (EVERYTHING, about("BookID", "a"), about("BookID", "nobody's")):
            answer = on_replica_only.query(filter, consistency=EVENTUAL, **options)
            assert answer == replicated.query(filter, **options)
            assert answer.position == 4
    with pytest.raises(StoreUnavailable):
        on_replica_only.query(EVERYTHING)


def test_a_store_on_a_standby_alone_can_be_read_and_takes_no_events(
    servers: Servers, replicated: PostgresEventStore, replica_pool: Pool, table: str
) -> None:
    """So that a long replay need not burden the primary."""
    replicated.append(*[event() for _ in range(2500)])
    servers.wait_until_caught_up()
    copy = PostgresEventStore(replica_pool, table)
    assert list(copy.stream(EVERYTHING)) == list(replicated.stream(EVERYTHING))
    with pytest.raises(StoreUnavailable, match=r"read-only|recovery") as refused:
        copy.append(event())
    assert not refused.value.outcome_unknown


def test_what_is_not_an_eventual_query_never_touches_the_replica(
    servers: Servers, replicated: PostgresEventStore, replica_pool: Pool
) -> None:
    condition = replicated.query(about("BookID", "a")).append_condition
    replicated.append(event("Noise"), *[event("Noise") for _ in range(1500)])
    replicated.append(event("Lent", BookID="a"), condition=condition)  # far behind: needs a stale check
    assert len(list(replicated.stream(EVERYTHING))) == 1502
    assert len(replicated.query(EVERYTHING, at_least=1502)) == 1502
    assert replica_pool.get_stats().get("requests_num", 0) == 0
    replicated.query(EVERYTHING, consistency=EVENTUAL)
    assert replica_pool.get_stats()["requests_num"] == 1


def test_without_a_replica_the_primary_answers_eventual_reads(
    primary_pool: Pool, replicated: PostgresEventStore, table: str
) -> None:
    alone = PostgresEventStore(primary_pool, table)
    alone.append(event())
    assert alone.query(EVERYTHING, consistency=EVENTUAL).position == 1


def test_a_lagging_replica_gives_a_consistent_past(servers: Servers, replicated: PostgresEventStore) -> None:
    replicated.append(event("Lent", BookID="a"))
    servers.wait_until_caught_up()
    servers.pause_replay()
    replicated.append(event("Returned", BookID="a"))
    past = replicated.query(about("BookID", "a"), consistency=EVENTUAL)
    assert (past.position, [found.event_type for found in past]) == (1, ["Lent"])
    now = replicated.query(about("BookID", "a"))
    assert (now.position, [found.event_type for found in now]) == (2, ["Lent", "Returned"])


def test_a_read_waits_until_the_replica_has_reached_a_position(
    servers: Servers, replicated: PostgresEventStore, on_replica_only: PostgresEventStore, replica_pool: Pool
) -> None:
    servers.pause_replay()
    [number] = replicated.append(event("Lent", BookID="a"))
    with ThreadPoolExecutor(1) as reader:
        waiting = reader.submit(on_replica_only.query, about("BookID", "a"), consistency=EVENTUAL, at_least=number)
        wait_until(lambda: replica_pool.get_stats()["requests_num"] > 5)
        assert not waiting.done()
        servers.resume_replay()
        answer = waiting.result()
    assert (answer.position, [found.sequence_number for found in answer]) == (number, [number])


def test_if_the_replica_does_not_reach_a_position_in_time_the_primary_answers(
    servers: Servers, replicated: PostgresEventStore
) -> None:
    servers.pause_replay()
    [number] = replicated.append(event("Lent", BookID="a"))
    answer = replicated.query(about("BookID", "a"), consistency=EVENTUAL, at_least=number)
    assert (answer.position, len(answer)) == (number, 1)
    # To lag is no outage: whoever wants less is still answered by the replica.
    assert replicated.query(EVERYTHING, consistency=EVENTUAL).position == 0


def test_while_a_replica_lags_not_every_read_waits_for_it(
    servers: Servers, replicated: PostgresEventStore, replica_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "LAGS_FOR", 3600)
    servers.pause_replay()
    [number] = replicated.append(event("Lent", BookID="a"))
    requests = [0]
    for _ in range(4):
        assert replicated.query(EVERYTHING, consistency=EVENTUAL, at_least=number).position == number
        requests.append(replica_pool.get_stats()["requests_num"])
    first, *others = (after - before for before, after in pairwise(requests))
    assert first > 1, "the first read waited"
    assert others == [1, 1, 1], "the others looked once"


@pytest.mark.parametrize("consistency", Consistency)
def test_a_position_beyond_the_head_of_the_primary_is_unknown(
    servers: Servers, replicated: PostgresEventStore, primary_pool: Pool, consistency: Consistency
) -> None:
    [number] = replicated.append(event())
    with pytest.raises(PositionUnknown) as unknown:
        replicated.query(EVERYTHING, consistency=consistency, at_least=number + 1)
    assert (unknown.value.after, unknown.value.head) == (number + 1, number)
    with primary_pool.connection() as connection:  # the only one so far
        assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_a_position_that_the_replica_shows_before_the_primary_is_not_unknown(
    servers: Servers, replicated: PostgresEventStore
) -> None:
    with ThreadPoolExecutor(3) as others, servers.commits_hang():
        first = others.submit(replicated.append, event("Lent", BookID="a"))
        wait_until(lambda: replicated.query(EVERYTHING, consistency=EVENTUAL).position == 1)
        ahead = replicated.query(about("BookID", "a"), consistency=EVENTUAL)
        assert replicated.query(EVERYTHING).position == 0
        strong = others.submit(replicated.query, EVERYTHING, at_least=ahead.position)
        second = others.submit(replicated.append, event("Returned", BookID="a"), condition=ahead.append_condition)
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: ask(servers.primary.dsn, locks) == 2)
    assert first.result() == [1]
    assert second.result() == [2]
    assert strong.result().position in {1, 2}


def test_a_commit_that_hangs_makes_its_position_unavailable_not_unknown(
    servers: Servers, replicated: PostgresEventStore, primary_pool: Pool, table: str
) -> None:
    impatient = PostgresEventStore(primary_pool, table, lock_timeout=0.05)
    with ThreadPoolExecutor(1) as other, servers.commits_hang():
        hanging = other.submit(replicated.append, event())
        wait_until(lambda: replicated.query(EVERYTHING, consistency=EVENTUAL).position == 1)
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            impatient.query(EVERYTHING, at_least=1)
    assert hanging.result() == [1]


def test_a_decision_on_an_old_answer_is_refused_by_its_guard(servers: Servers, replicated: PostgresEventStore) -> None:
    servers.pause_replay()
    [lent] = replicated.append(event("Lent", BookID="a"))
    stale = replicated.query(about("BookID", "a"), consistency=EVENTUAL)
    assert not stale.events
    with pytest.raises(ConcurrencyConflict) as conflict:
        replicated.append(event("Lent", BookID="a"), condition=stale.append_condition)
    assert conflict.value.event.sequence_number == lent
    # And what others did since does not stand in the way of a decision that does not depend on it.
    other = replicated.query(about("BookID", "b"), consistency=EVENTUAL)
    assert other.append_condition == AppendCondition(about("BookID", "b"), 0)
    assert replicated.append(event("Lent", BookID="b"), condition=other.append_condition) == [lent + 1]


def test_a_decision_on_an_answer_thousands_of_events_old_is_guarded_as_well(
    servers: Servers, replicated: PostgresEventStore
) -> None:
    servers.pause_replay()
    first = replicated.query(about("BookID", "a"), consistency=EVENTUAL)
    second = replicated.query(about("BookID", "b"), consistency=EVENTUAL)
    replicated.append(event("Lent", BookID="a"), *[event("Noise") for _ in range(2500)])
    with pytest.raises(ConcurrencyConflict):
        replicated.append(event("Lent", BookID="a"), condition=first.append_condition)
    assert replicated.append(event("Lent", BookID="b"), condition=second.append_condition) == [2502]


@pytest.mark.parametrize("patience", [0, -1, 0.0001, 3601, float("nan")])
def test_a_patience_that_cannot_be_used_is_refused(primary_pool: Pool, patience: float) -> None:
    with pytest.raises(ValueError, match="replica_patience"):
        PostgresEventStore(primary_pool, replica=primary_pool, replica_patience=patience)


def test_a_pool_of_ours_works_on_a_standby_and_writes_nothing_there(servers: Servers, replica_pool: Pool) -> None:
    with replica_pool.connection() as connection:
        assert connection.info.parameter_status("in_hot_standby") == "on"
        assert connection.execute("SHOW plan_cache_mode").fetchone() == ("force_generic_plan",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE never (id int)")
