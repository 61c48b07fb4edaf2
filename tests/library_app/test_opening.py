"""A worker opens what its settings ask for: all of it tells of the same request."""

import pytest
from click.testing import CliRunner

from eventstore import SchemaMissing
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from library_app.cli import main
from library_app.config import Config
from library_app.opening import opened_app, readiness_checks
from library_app.operations.ending import Ending
from library_app.operations.health import NotReady
from slices.lending.book_search.live import model
from slices.live.answering import LiveAnswers
from slices.live.runner import LiveRunner
from tests.library_app.library import COPY
from tests.library_app.test_metrics import numbers_in
from tests.library_app.test_telemetry import received, spans_in
from tests.library_app.waiting import eventually

__all__ = ["received"]

ADD = "/api/lending/add-book-copy-to-circulation"


def test_an_append_is_measured_and_traced(database: str, received: dict[str, list[bytes]]) -> None:
    assert CliRunner().invoke(main, ["init-db"], env={"LIBRARY_DSN": database}).exit_code == 0
    config = Config("0123456789abcdef", dsn=database, threads=3, metrics=True, telemetry=True)
    with opened_app(config, Ending()) as app:
        client = app.test_client()
        assert client.post(ADD, json=COPY).status_code == 201
        found = numbers_in(client.get("/metrics").text)
        assert found["library_append_lock_wait_seconds_count", "appended"] == 1
        assert found["library_commands_total", "appended", "lending/add_book_copy_to_circulation"] == 1
        eventually(
            lambda: numbers_in(client.get("/metrics").text).get(("library_pool_connections", "most")) == 3,
            "the pool is looked at",
        )
    names = {span.name for span in spans_in(received["/v1/traces"])}
    assert {f"POST {ADD}", "query events", "append events"} <= names


def test_without_them_nothing_is_measured(database: str) -> None:
    with opened_app(Config("0123456789abcdef", dsn=database, threads=2), Ending()) as app:
        client = app.test_client()
        assert client.get("/metrics").status_code == 404
        schema = {"status": "not ready", "database": "has a schema that does not fit to this release"}
        assert client.get("/health/ready").json == schema


def test_a_process_is_not_ready_whose_candidate_for_a_live_model_has_gone(pool: Pool) -> None:
    store = PostgresEventStore(pool)
    candidate = LiveRunner(model, store, "host=/nonexistent")
    check = readiness_checks(store, LiveAnswers(pool, "no_such_events"), {model: candidate})[model.name]
    with pytest.raises(NotReady, match="nobody in this process keeps it up to date"):
        check()
    with candidate:  # it tries to connect, again and again, and that is enough
        assert candidate.is_alive
        with pytest.raises(SchemaMissing):
            check()
    with pytest.raises(NotReady):
        check()
