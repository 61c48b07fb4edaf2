"""When a replica cannot answer, the primary does; and the replica comes back into use by itself."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg.conninfo import make_conninfo

from eventstore import Consistency, SchemaMissing, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import throwaway_server
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.replica import LAGS_FOR, RETRY_AFTER, Health
from tests.eventstore.guarantee_checks import EVERYTHING, about, event
from tests.eventstore.replication.servers import Servers, ask, run, streaming_pair, wait_until

EVENTUAL = Consistency.EVENTUAL
LOG = "eventstore.postgres.replica"


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if (record.name, record.levelname) == (LOG, "WARNING")]


def test_a_stopped_replica_is_replaced_by_the_primary_and_comes_back(
    servers: Servers, replicated: PostgresEventStore, replica_pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOG)
    replicated.append(event())
    with ThreadPoolExecutor(4) as readers:  # so that the pool holds several connections, which all get lost
        list(readers.map(lambda _: replicated.query(EVERYTHING, consistency=EVENTUAL), range(40)))
    servers.stop_standby()
    replicated.append(event())
    requests = replica_pool.get_stats()["requests_num"]
    for _ in range(100):
        assert replicated.query(EVERYTHING, consistency=EVENTUAL).position == 2
    assert replica_pool.get_stats()["requests_num"] - requests < 50, (
        "each read asked a replica that is known to be down"
    )
    assert len(warnings(caplog)) == 1

    servers.start_standby()
    wait_until(lambda: replicated.query(EVERYTHING, consistency=EVENTUAL) and "answers again" in caplog.text)
    servers.wait_until_caught_up()
    servers.pause_replay()
    replicated.append(event())
    assert replicated.query(EVERYTHING, consistency=EVENTUAL).position == 2, "the primary has answered"
    assert len(warnings(caplog)) == 1


def test_a_replica_that_is_down_from_the_beginning_does_not_keep_the_store_from_opening(
    servers: Servers, replicated: PostgresEventStore, primary_pool: Pool, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOG)
    servers.stop_standby()
    with pytest.raises(StoreUnavailable), open_pool(servers.standby.dsn):
        pass
    with open_pool(servers.standby.dsn, wait=False) as replica:
        store = PostgresEventStore(primary_pool, table, replica=replica)
        [number] = store.append(event())
        assert store.query(EVERYTHING, consistency=EVENTUAL, at_least=number).position == number
        assert len(warnings(caplog)) == 1
        servers.start_standby()
        wait_until(lambda: store.query(EVERYTHING, consistency=EVENTUAL) and replica.get_stats()["pool_available"])
        wait_until(lambda: store.query(EVERYTHING, consistency=EVENTUAL) and "answers again" in caplog.text)


def test_connections_that_were_lost_while_idle_are_no_outage(
    servers: Servers,
    on_replica_only: PostgresEventStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ThreadPoolExecutor(4) as readers:  # so that the pool holds several
        list(readers.map(lambda _: on_replica_only.query(EVERYTHING, consistency=EVENTUAL), range(40)))
    ours = "FROM pg_stat_activity WHERE application_name = 'eventstore'"
    assert ask(servers.standby.dsn, f"SELECT count(pg_terminate_backend(pid)) {ours}")
    wait_until(lambda: ask(servers.standby.dsn, f"SELECT count(*) {ours}") == 0)
    assert on_replica_only.query(EVERYTHING, consistency=EVENTUAL).position == 0
    assert not warnings(caplog)


def test_an_exhausted_pool_of_the_replica_is_replaced_by_the_primary(
    servers: Servers, replicated: PostgresEventStore, primary_pool: Pool, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    [number] = replicated.append(event())
    with open_pool(servers.standby.dsn, max_size=1, timeout=3600) as replica, borrowed(replica):
        store = PostgresEventStore(primary_pool, table, replica=replica, replica_patience=0.05)
        assert store.query(EVERYTHING, consistency=EVENTUAL).position == number
    assert len(warnings(caplog)) == 1


def test_a_table_that_the_replica_does_not_have_yet_is_read_from_the_primary(
    servers: Servers, primary_pool: Pool, replica_pool: Pool, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    servers.pause_replay()
    store = PostgresEventStore(primary_pool, table, replica=replica_pool)
    store.create_schema()
    [number] = store.append(event())
    assert store.query(EVERYTHING, consistency=EVENTUAL).position == number
    assert table in warnings(caplog)[0]


def test_a_table_that_nobody_has_is_missing(primary_pool: Pool, replica_pool: Pool, table: str) -> None:
    store = PostgresEventStore(primary_pool, table, replica=replica_pool)
    with pytest.raises(SchemaMissing):
        store.query(EVERYTHING, consistency=EVENTUAL)


SLOW = "pg_sleep(3600) IS NULL"
IMPOSSIBLE = "1 / (random() * 0)::int = 1"


@pytest.fixture
def view(
    servers: Servers, replicated: PostgresEventStore, primary_pool: Pool, replica_pool: Pool, table: str
) -> Callable[[str], PostgresEventStore]:
    """A store of one event that can be read on the primary, while a condition has to be evaluated on the replica."""

    def make(condition: str) -> PostgresEventStore:
        replicated.append(event())
        run(
            servers.primary.dsn,
            f"CREATE VIEW {table}_view AS SELECT * FROM {table}"
            f" WHERE CASE WHEN pg_is_in_recovery() THEN {condition} ELSE true END",
        )
        servers.wait_until_caught_up()
        return PostgresEventStore(primary_pool, f"{table}_view", replica=replica_pool)

    return make


def test_a_read_that_is_in_the_way_of_the_replay_is_cancelled_and_read_from_the_primary(
    servers: Servers, view: Callable[[str], PostgresEventStore], table: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = view(SLOW)
    run(servers.primary.dsn, f"CREATE TABLE {table}_other AS SELECT 1")
    servers.wait_until_caught_up()
    servers.configure(servers.standby, "max_standby_streaming_delay", "0")
    with ThreadPoolExecutor(1) as reader:
        slow = reader.submit(store.query, EVERYTHING, consistency=EVENTUAL)
        wait_until(lambda: sleepers(servers))
        run(servers.primary.dsn, f"DELETE FROM {table}_other")
        run(servers.primary.dsn, f"VACUUM {table}_other")
        assert slow.result().position == 1
    assert not warnings(caplog), "the replica is well"
    assert "canceling statement due to conflict with recovery" in (servers.standby.data / "server.log").read_text()


def test_a_read_that_is_cancelled_on_the_replica_is_read_from_the_primary(
    servers: Servers, view: Callable[[str], PostgresEventStore], caplog: pytest.LogCaptureFixture
) -> None:
    store = view(SLOW)
    with ThreadPoolExecutor(1) as reader:
        slow = reader.submit(store.query, EVERYTHING, consistency=EVENTUAL)
        wait_until(lambda: sleepers(servers))
        assert ask(
            servers.standby.dsn, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        )
        assert slow.result().position == 1
    assert not warnings(caplog), "the replica is well"


def test_what_only_the_replica_cannot_evaluate_is_read_from_the_primary(
    view: Callable[[str], PostgresEventStore], caplog: pytest.LogCaptureFixture
) -> None:
    assert view(IMPOSSIBLE).query(EVERYTHING, consistency=EVENTUAL).position == 1
    assert not warnings(caplog), "the replica is well"


def sleepers(servers: Servers) -> int:
    found: int = ask(servers.standby.dsn, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    return found


def test_a_promoted_replica_is_not_believed_any_more(table: str, caplog: pytest.LogCaptureFixture) -> None:
    """Both servers take events now; what the other one says is no past of ours."""
    with streaming_pair() as pair, open_pool(pair.primary.dsn) as primary, open_pool(pair.standby.dsn) as other:
        store = PostgresEventStore(primary, table, replica=other)
        store.create_schema()
        store.append(event("Shared"))
        pair.wait_until_caught_up()
        assert store.query(EVERYTHING, consistency=EVENTUAL).position == 1
        pair.promote_standby()
        PostgresEventStore(other, table).append(event("Foreign"), event("Foreign"))
        store.append(event("Ours"))
        answer = store.query(EVERYTHING, consistency=EVENTUAL)
        assert [found.event_type for found in answer] == ["Shared", "Ours"]
        assert "no standby" in warnings(caplog)[0]


def test_while_the_primary_is_down_the_replica_answers(
    servers: Servers, replicated: PostgresEventStore, primary_pool: Pool
) -> None:
    [number] = replicated.append(event("Lent", BookID="a"))
    servers.wait_until_caught_up()
    primary_pool.timeout = 0.05
    with servers.primary_down():
        assert replicated.query(EVERYTHING, consistency=EVENTUAL).position == number
        assert len(replicated.query(about("BookID", "a"), consistency=EVENTUAL, at_least=number)) == 1
        for refused in (
            lambda: replicated.query(EVERYTHING),
            lambda: replicated.query(EVERYTHING, consistency=EVENTUAL, at_least=number + 1),
            lambda: replicated.append(event()),
        ):
            with pytest.raises(StoreUnavailable):
                refused()


def test_a_replica_of_another_database_is_refused_at_start_up(
    servers: Servers, replicated: PostgresEventStore, primary_pool: Pool, table: str
) -> None:
    replicated.check_schema()
    other_database = f"{table}_other"
    run(servers.primary.dsn, f"CREATE DATABASE {other_database}")
    servers.wait_until_caught_up()
    place = make_conninfo(servers.standby.dsn, dbname=other_database)
    with throwaway_server() as other_cluster:
        for elsewhere in (place, other_cluster.dsn):
            with open_pool(elsewhere) as pool, pytest.raises(ValueError, match="of another database"):
                PostgresEventStore(primary_pool, table, replica=pool).check_schema()


def test_a_replica_that_is_down_is_no_reason_not_to_start(
    servers: Servers, replicated: PostgresEventStore, caplog: pytest.LogCaptureFixture
) -> None:
    servers.stop_standby()
    replicated.check_schema()
    assert "cannot tell" in warnings(caplog)[0]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


DOWN = StoreUnavailable("down", outcome_unknown=False)


def test_during_an_outage_one_read_at_a_time_tries_the_replica(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    health = Health("events", clock)
    assert health.worth_asking()
    assert health.worth_asking()
    for _ in range(3):
        health.failed(DOWN, began=clock.now)
        assert not health.worth_asking()
        clock.now += RETRY_AFTER
        assert health.worth_asking()
        assert not health.worth_asking()
    assert len(warnings(caplog)) == 1
    health.answered()
    assert health.worth_asking()
    assert health.worth_asking()
    clock.now += 1
    health.failed(DOWN, began=clock.now)
    assert len(warnings(caplog)) == 2


def test_a_trial_that_ends_without_a_result_is_followed_by_another() -> None:
    clock = Clock()
    health = Health("events", clock)
    health.failed(DOWN, began=clock.now)
    clock.now += RETRY_AFTER
    assert health.worth_asking()
    clock.now += RETRY_AFTER
    assert health.worth_asking()


def test_a_failure_while_others_get_their_answers_is_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    health = Health("events", clock)
    began = clock.now
    clock.now += 1
    health.answered()
    clock.now += 1
    health.failed(DOWN, began)
    assert health.worth_asking()
    assert health.worth_asking()
    assert not warnings(caplog)


def test_nobody_waits_for_a_replica_for_a_while_after_somebody_has_waited_in_vain() -> None:
    clock = Clock()
    health = Health("events", clock)
    assert health.worth_waiting()
    health.lagged()
    assert not health.worth_waiting()
    clock.now += LAGS_FOR
    assert health.worth_waiting()
