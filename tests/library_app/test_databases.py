"""Pooler and replica: who answers what, and what is refused at the start."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore import Consistency, EventStream, Filter, InMemoryEventStore, StorableEvent
from eventstore.postgres import open_pool
from library_app import Config, create_app
from library_app.config import SettingRefused
from library_app.databases import check_pooler_and_replica
from library_app.opening import opened_app, opened_store
from library_app.operations.ending import Ending
from tests.eventstore.guarantee_checks import EVERYTHING, event
from tests.eventstore.replication.servers import Servers, streaming_pair
from tests.eventstore.test_pgbouncer import behind_pgbouncer
from tests.library_app.command_line import SECRETS, assert_says, run
from tests.library_app.conftest import all_events
from tests.library_app.library import BOOK, COPY, LEND, READER
from tests.library_app.production import free_port
from tests.library_app.waiting import eventually
from tests.wrapped_store import WrappedStore

CONFIG = Config.read(SECRETS)
QUESTIONS = ("/api/lending/books-in-circulation", "/api/lending/waiting-lists", "/api/events")


@dataclass
class WithReplica(WrappedStore):
    """A store whose eventual queries a replica answers, however far it is."""

    replica: InMemoryEventStore
    strong: int = 0

    def query(self, filter: Filter, **options: Any) -> EventStream:
        if options.get("consistency") is Consistency.EVENTUAL:
            return self.replica.query(filter, **options)
        self.strong += 1
        return super().query(filter, **options)


@pytest.fixture
def half(seeded: InMemoryEventStore) -> WithReplica:
    """The replica has replayed half of the log."""
    replica, log = InMemoryEventStore(), all_events(seeded)
    for one in log[: len(log) // 2]:
        replica.append(StorableEvent(one.event_id, one.event_type, one.occurred_at, one.payload, one.metadata))
    return WithReplica(seeded, replica)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_replica_answers_for_the_past_that_it_has_and_for_nothing_else(
    half: WithReplica, demo_client: FlaskClient, config: Config, question: str
) -> None:
    client = create_app(half, config=config).test_client()
    end = half.replica.query(EVERYTHING).position
    for address in (question, f"/as-of/{end + 1}{question}"):
        assert client.get(address).json == demo_client.get(address).json
    half.strong = 0
    assert client.get(f"/as-of/{end}{question}").json == demo_client.get(f"/as-of/{end}{question}").json
    assert half.strong == 1  # where the log ends


@pytest.fixture(scope="module")
def pair() -> Generator[Servers]:
    with streaming_pair() as servers:
        assert run("init-db", LIBRARY_DSN=servers.primary.dsn).exit_code == 0
        servers.wait_until_caught_up()
        yield servers


def test_a_replica_answers_what_may_be_a_little_old_and_the_app_goes_on_without_it(pair: Servers) -> None:
    config = replace(CONFIG, dsn=pair.primary.dsn, replica_dsn=pair.standby.dsn, threads=2)
    with opened_store(config) as (store, _):
        pair.pause_replay()
        [number] = store.append(event())
        assert store.query(EVERYTHING, consistency=Consistency.EVENTUAL).position == number - 1
        assert store.query(EVERYTHING).position == number
        pair.stop_standby()
        assert store.query(EVERYTHING, consistency=Consistency.EVENTUAL).position == number
    with opened_store(config) as (store, _), open_pool(config.dsn) as server:
        check_pooler_and_replica(config, server)  # it is down: that is said in the log, and keeps nobody from starting
        assert store.query(EVERYTHING, consistency=Consistency.EVENTUAL).position == number
    with opened_app(config, Ending()) as app:
        eventually(lambda: app.test_client().get("/health/ready").status_code == 200, "ready without the replica")
    pair.start_standby()


def test_pooler_and_replica_of_another_server_are_refused(pair: Servers, dsn: str) -> None:
    with open_pool(pair.primary.dsn) as server:
        with pytest.raises(SettingRefused, match=r"^LIBRARY_REPLICA_DSN: .*another"):
            check_pooler_and_replica(replace(CONFIG, replica_dsn=dsn), server)
        for elsewhere in (dsn, pair.standby.dsn):  # on a standby nobody can append
            with pytest.raises(SettingRefused, match=r"^LIBRARY_POOLER_DSN: .*another"):
                check_pooler_and_replica(replace(CONFIG, pooler_dsn=elsewhere), server)


def test_serve_refuses_a_pooler_that_does_not_answer_by_the_name_of_its_variable(pair: Servers) -> None:
    nobody = "host=127.0.0.1 port=1 dbname=library"
    said = run(
        "serve", LIBRARY_DSN=pair.primary.dsn, LIBRARY_POOLER_DSN=nobody, LIBRARY_PORT=str(free_port()), **SECRETS
    )
    assert_says(said, "LIBRARY_POOLER_DSN: ", "does not answer")


@pytest.mark.pgbouncer
def test_the_app_works_through_pgbouncer_in_transaction_mode() -> None:
    with behind_pgbouncer(max_size=1) as (server, bouncer, _):
        assert run("init-db", LIBRARY_DSN=server.dsn).exit_code == 0
        config = replace(CONFIG, dsn=server.dsn, pooler_dsn=bouncer.dsn, threads=4)
        with open_pool(server.dsn) as pool:
            check_pooler_and_replica(config, pool)
        with opened_app(config, Ending()) as app:
            client = app.test_client()
            for route, body in (
                ("lending/add-book-copy-to-circulation", COPY),
                ("lending/register-reader", {"ReaderID": READER, "Name": "Ann"}),
                (LEND, {"BookID": BOOK, "ReaderID": READER}),
            ):
                for _ in range(2):  # the second time the recorded answer comes
                    answer = client.post(f"/api/{route}", json=body, headers={"Idempotency-Key": route})
                    assert answer.status_code == 201
            assert str(COPY["Title"]) in client.get("/api/lending/books-lent-out").text
            assert client.get("/library/search?q=learning").status_code == 200
            bouncer.stop()
            assert client.get("/api/lending/books-lent-out").status_code == 503
