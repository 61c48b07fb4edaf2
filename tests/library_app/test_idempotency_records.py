"""One contract for the records in memory and in PostgreSQL."""

import tempfile
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from eventstore import SchemaMissing, StoreUnavailable
from eventstore.postgres import open_pool
from eventstore.postgres.pool import Pool
from library_app.idempotency import (
    Answered,
    Claimed,
    IdempotencyRecords,
    InFlight,
    InMemoryIdempotencyRecords,
    Request,
)
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from tests.eventstore.lossy_proxy import LossyProxy

ASKED = Request("lending/lend-book-to-reader", "aa")
OTHER = Request("lending/lend-book-to-reader", "bb")


@pytest.fixture
def table(pool: Pool) -> Generator[PostgresIdempotencyRecords]:
    records = PostgresIdempotencyRecords(pool)
    records.create_schema()
    yield records
    with pool.connection() as connection:
        connection.execute("DROP TABLE idempotency_keys")


@pytest.fixture(params=["memory", "postgres"])
def engine(request: pytest.FixtureRequest, seconds: Any) -> Generator[tuple[IdempotencyRecords, Callable[[int], None]]]:
    """The records, and a way to let time pass."""
    if request.param == "memory":

        def wait(passed: int) -> None:
            seconds.now += passed

        yield InMemoryIdempotencyRecords(seconds), wait
        return
    pool: Pool = request.getfixturevalue("pool")
    records: PostgresIdempotencyRecords = request.getfixturevalue("table")

    def let_pass(passed: int) -> None:
        with pool.connection() as connection:
            connection.execute(
                "UPDATE idempotency_keys SET claimed_at = claimed_at - make_interval(secs => %s)", [passed]
            )

    yield records, let_pass


Engine = tuple[IdempotencyRecords, Callable[[int], None]]


def test_a_new_key_is_claimed(engine: Engine, noon: Any) -> None:
    records, _ = engine
    claim = records.claim("k", ASKED, noon)
    assert isinstance(claim, Claimed)
    assert (claim.request, claim.occurred_at, claim.again) == (ASKED, noon, False)


def test_an_answer_is_kept_word_for_word(engine: Engine, noon: Any) -> None:
    records, _ = engine
    claim = records.claim("k", ASKED, noon)
    assert isinstance(claim, Claimed)
    answer = (409, {"b": [1, 2.5, None, "O'Brien <script> \u00e9"], "a": {"n": 12345678901234567890}})
    records.finish("k", claim.token, answer)
    found = records.claim("k", ASKED, noon)
    assert found == Answered(ASKED, answer)
    assert isinstance(found, Answered)
    assert list(found.answer[1]) == ["b", "a"]
    assert records.claim("k", OTHER, noon) == Answered(ASKED, answer)
    assert isinstance(records.claim("another", ASKED, noon), Claimed)


def test_a_claimed_key_is_in_flight_for_half_a_minute(engine: Engine, noon: Any) -> None:
    records, wait = engine
    records.claim("k", ASKED, noon)
    assert records.claim("k", ASKED, noon) == InFlight(ASKED)
    wait(29)
    assert records.claim("k", ASKED, noon) == InFlight(ASKED)


def test_a_claim_of_the_dead_is_taken_over_with_its_time(engine: Engine, noon: Any) -> None:
    records, wait = engine
    first = records.claim("k", ASKED, noon)
    assert isinstance(first, Claimed)
    wait(31)
    assert records.claim("k", OTHER, noon) == InFlight(ASKED), "another request never takes a key over"
    second = records.claim("k", ASKED, noon + timedelta(hours=1))
    assert isinstance(second, Claimed)
    assert (second.again, second.occurred_at) == (True, noon)
    assert records.claim("k", ASKED, noon) == InFlight(ASKED)
    records.finish("k", first.token, (201, {"from": "the dead"}))
    assert records.claim("k", ASKED, noon) == InFlight(ASKED), "whoever lost the claim has no say any more"
    records.finish("k", second.token, (200, {}))
    records.finish("k", second.token, (201, {}))
    assert records.claim("k", ASKED, noon) == Answered(ASKED, (200, {}))


def test_an_abandoned_claim_is_free_at_once(engine: Engine, noon: Any) -> None:
    records, _ = engine
    first = records.claim("k", ASKED, noon)
    assert isinstance(first, Claimed)
    records.abandon("k", first.token)
    second = records.claim("k", ASKED, noon + timedelta(hours=1))
    assert isinstance(second, Claimed)
    assert (second.again, second.occurred_at) == (True, noon)


def test_a_claim_from_the_future_is_free(table: PostgresIdempotencyRecords, pool: Pool, noon: Any) -> None:
    """The clock of the server was put back by an hour, and nobody shall wait for an hour."""
    table.claim("k", ASKED, noon)
    with pool.connection() as connection:
        connection.execute("UPDATE idempotency_keys SET claimed_at = claimed_at + interval '1 hour'")
    second = table.claim("k", ASKED, noon + timedelta(hours=-1))
    assert isinstance(second, Claimed)
    assert (second.again, second.occurred_at) == (True, noon)
    assert table.claim("k", ASKED, noon) == InFlight(ASKED)


def test_a_step_whose_answer_is_lost_is_taken_once_more(table: PostgresIdempotencyRecords, dsn: str, noon: Any) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="proxy-") as folder,
        LossyProxy(Path(folder), dsn) as proxy,
        open_pool(proxy.dsn, max_size=1) as pool,
    ):
        distant = PostgresIdempotencyRecords(pool)
        proxy.lose_next_answer()
        claimed = distant.claim("k", ASKED, noon)
        assert isinstance(claimed, Claimed), "it is our own claim that is in the table"
        proxy.lose_next_answer()
        distant.abandon("k", claimed.token)
        proxy.lose_next_answer()
        taken_over = distant.claim("k", ASKED, noon)
        assert isinstance(taken_over, Claimed)
        assert taken_over.again
        proxy.lose_next_answer()
        distant.finish("k", taken_over.token, (201, {}))
    assert table.claim("k", ASKED, noon) == Answered(ASKED, (201, {}))


def test_what_could_not_be_given_back_is_given_back_when_the_database_answers_again(
    table: PostgresIdempotencyRecords, dsn: str, noon: Any
) -> None:
    with open_pool(dsn, max_size=1, timeout=0.1) as pool:
        lonely = PostgresIdempotencyRecords(pool)
        claimed = lonely.claim("k", ASKED, noon)
        assert isinstance(claimed, Claimed)
        with pool.connection():
            with pytest.raises(StoreUnavailable):
                lonely.abandon("k", claimed.token)
            with pytest.raises(StoreUnavailable):
                lonely.claim("another", ASKED, noon)
        assert table.claim("k", ASKED, noon) == InFlight(ASKED)
        assert isinstance(lonely.claim("another", ASKED, noon), Claimed)
        assert isinstance(table.claim("k", ASKED, noon), Claimed)


def test_the_table_is_checked_at_start_up(pool: Pool) -> None:
    with pytest.raises(SchemaMissing):
        PostgresIdempotencyRecords(pool).check_schema()
