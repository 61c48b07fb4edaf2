"""Everything that the app needs in a process of the web server, opened after the fork and closed at its end."""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flask import Flask
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore, open_pool
from eventstore.postgres.appending import OnAppend
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
from library_app.operations.sampling import Sampling
from library_app.race.postgres import PostgresRaceLab
from slices.live.answering import LiveAnswers
from slices.live.model import LiveModel
from slices.live.runner import LiveRunner

if TYPE_CHECKING:
    from library_app.operations.metrics import Metrics
    from library_app.operations.telemetry import Telemetry

LONGEST_SILENCE: Final = 10.0
"""Seconds after which a request gives up a database that is connected and says nothing; twice what an append may wait
for its lock."""


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
    with ExitStack() as closing:
        metrics = _metrics() if config.metrics else None
        telemetry = closing.enter_context(_telemetry()) if config.telemetry else None
        store, pool = closing.enter_context(opened_store(config, metrics.note_append if metrics else None))
        explains = closing.enter_context(open_playground(dsn, patience=config.database_patience))
        runners = {model: closing.enter_context(LiveRunner(model, store, dsn)) for model in LIVE_MODELS}
        live_events = LiveEvents(store, most_readers=config.live_streams)
        closing.callback(live_events.close)
        ending.callback(live_events.close)
        live = LiveAnswers(pool)
        app = create_app(
            telemetry.watched(store, "events") if telemetry else store,
            config=config,
            clock=utc_now,
            idempotency=PostgresIdempotencyRecords(pool),
            snapshots=PostgresSnapshotStore(pool),
            live=live,
            explains=explains,
            live_events=live_events,
            race_lab=PostgresRaceLab(dsn, utc_now),
            watches=[metrics.watch] if metrics else [],
            tracing=telemetry.install if telemetry else None,
            readiness=Readiness(readiness_checks(PostgresEventStore(pool), live, runners), lambda: ending.is_near),
        )
        if metrics is not None:
            app.register_blueprint(metrics.blueprint())
            closing.enter_context(Sampling(lambda: metrics.look(pool, live_events.readers, live, LIVE_MODELS)))
        yield app


def _metrics() -> "Metrics":
    # The library decides when it is imported with whom it counts together: import it in the worker.
    from library_app.operations.metrics import Metrics  # noqa: PLC0415

    return Metrics()


def _telemetry() -> AbstractContextManager["Telemetry"]:
    # An extra, which is there if it was asked for: the settings have seen to that.
    from library_app.operations.telemetry import opened_telemetry  # noqa: PLC0415

    return opened_telemetry()


@contextmanager
def opened_store(config: Config, on_append: OnAppend | None = None) -> Generator[tuple[PostgresEventStore, Pool]]:
    """What answers requests: the store, and the pool that it and what lies beside the events borrow from.

    They go through the pooler if there is one. Where a session is needed, for LISTEN, the store has the server itself.

    Args:
        config: where they are.
        on_append: see `PostgresEventStore`.
    """
    opens = partial(
        open_pool,
        max_size=config.threads,
        timeout=config.database_patience,
        wait=False,
        longest_silence=LONGEST_SILENCE,
    )
    with ExitStack() as opened:
        through = config.pooler_dsn or config.dsn
        pool = opened.enter_context(opens(impatient(config, through), prepare=not config.pooler_dsn))
        replica = config.replica_dsn and opened.enter_context(opens(impatient(config, config.replica_dsn)))
        listen_dsn = impatient(config)
        yield PostgresEventStore(pool, replica=replica or None, listen_dsn=listen_dsn, on_append=on_append), pool


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


def readiness_checks(
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
