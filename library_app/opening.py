"""Everything that the app needs in a process of the web server, opened after the fork and closed at its end."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from flask import Flask

from eventstore.postgres import PostgresSnapshotStore
from library_app import create_app
from library_app.composition import LIVE_MODELS
from library_app.config import Config
from library_app.databases import opened_store
from library_app.edge import utc_now
from library_app.glass.explanation_postgres import open_playground
from library_app.glass.live import LiveEvents
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from library_app.race.postgres import PostgresRaceLab
from slices.live.answering import LiveAnswers
from slices.live.runner import LiveRunner


@contextmanager
def opened_app(config: Config, at_end: ExitStack) -> Generator[Flask]:
    """The app on the databases of its settings, until the end of the block.

    Args:
        config: the settings.
        at_end: is given what to end as soon as the process is told to go, while requests still run.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with opened_store(config) as (store, pool), ExitStack() as runners:
        for model in LIVE_MODELS:
            runners.enter_context(LiveRunner(model, store, config.dsn))
        live_events = LiveEvents(store, most_readers=config.live_streams)
        runners.callback(live_events.close)
        at_end.callback(live_events.close)
        explains = runners.enter_context(open_playground(config.dsn))
        yield create_app(
            store,
            config=config,
            clock=utc_now,
            idempotency=PostgresIdempotencyRecords(pool),
            snapshots=PostgresSnapshotStore(pool),
            live=LiveAnswers(pool),
            explains=explains,
            live_events=live_events,
            race_lab=PostgresRaceLab(config.dsn, utc_now),
        )
