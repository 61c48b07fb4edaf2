"""Everything that the app needs in a process of the web server, opened after the fork and closed at its end."""

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from flask import Flask
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore, open_pool
from eventstore.postgres.pool import Pool
from library_app import create_app
from library_app.composition import LIVE_MODELS
from library_app.config import Config
from library_app.edge import utc_now
from library_app.glass.explanation_postgres import open_playground
from library_app.glass.live import LiveEvents
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from library_app.operations.ending import Ending
from library_app.operations.health import Check, NotReady, Readiness
from library_app.race.postgres import PostgresRaceLab
from slices.live.answering import LiveAnswers
from slices.live.model import LiveModel
from slices.live.runner import LiveRunner


@contextmanager
def opened_app(config: Config, ending: Ending) -> Generator[Flask]:
    """The app on the databases of its settings, until the end of the block.

    It opens also while the database does not answer: a process that takes the place of another must not bring the rest
    down, and answers with 503 until the database is back.

    Args:
        config: the settings.
        ending: is given what to end as soon as the process is told to go, while requests still run.
    """
    dsn = impatient(config)
    with (
        opened_store(config) as (store, pool),
        open_playground(dsn, patience=config.database_patience) as explains,
        ExitStack() as closing,
    ):
        runners = {model: closing.enter_context(LiveRunner(model, store, dsn)) for model in LIVE_MODELS}
        live_events = LiveEvents(store, most_readers=config.live_streams)
        closing.callback(live_events.close)
        ending.callback(live_events.close)
        live = LiveAnswers(pool)
        yield create_app(
            store,
            config=config,
            clock=utc_now,
            idempotency=PostgresIdempotencyRecords(pool),
            snapshots=PostgresSnapshotStore(pool),
            live=live,
            explains=explains,
            live_events=live_events,
            race_lab=PostgresRaceLab(dsn, utc_now),
            readiness=Readiness(_checks(PostgresEventStore(pool), live, runners), lambda: ending.is_near),
        )


@contextmanager
def opened_store(config: Config) -> Generator[tuple[PostgresEventStore, Pool]]:
    """What answers requests: the store, and the pool that it and what lies beside the events borrow from.

    They go through the pooler if there is one. Where a session is needed, for LISTEN, the store has the server itself.
    """
    opens = partial(open_pool, max_size=config.threads, timeout=config.database_patience, wait=False)
    with ExitStack() as opened:
        through = config.pooler_dsn or config.dsn
        pool = opened.enter_context(opens(impatient(config, through), prepare=not config.pooler_dsn))
        replica = config.replica_dsn and opened.enter_context(opens(impatient(config, config.replica_dsn)))
        yield PostgresEventStore(pool, replica=replica or None, listen_dsn=impatient(config)), pool


def impatient(config: Config, dsn: str = "") -> str:
    """A connection string with bounds on how long to wait for a server that does not answer, as the settings say.

    Args:
        config: the settings.
        dsn: what the given one says itself is kept; by default that of the server.
    """
    seconds = config.database_patience
    bounds = {
        "connect_timeout": seconds,
        "tcp_user_timeout": 1000 * seconds,
        "keepalives_idle": seconds,
        "keepalives_interval": 1,
    }
    given = dsn or config.dsn
    return make_conninfo(given, **{**bounds, **conninfo_to_dict(given)})


def _checks(
    store: PostgresEventStore, live: LiveAnswers, runners: Mapping[LiveModel[Any], LiveRunner]
) -> dict[str, Check]:
    """What has to be well for a process to be ready.

    A live model that is behind, or has stopped, is told of, and no more: its old rows answer, and say so themselves.
    Nor is a replica looked at, without which everything works.
    """

    def database() -> str:
        store.check_schema()
        return "answers"

    def model_is(model: LiveModel[Any], candidate: LiveRunner) -> str:
        if not candidate.is_alive:
            raise NotReady("nobody in this process keeps it up to date")
        status = live.status(model)
        if status.stopped_because is not None:
            return "has stopped, the log says why"
        behind = status.head - status.position
        return f"is behind by {behind}" if behind > 0 else "is up to date"

    checks: dict[str, Callable[[], str]] = {"database": database}
    return checks | {model.name: partial(model_is, model, candidate) for model, candidate in runners.items()}
