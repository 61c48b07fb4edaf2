"""The web app: it puts the slices together, and adds what belongs to no single slice. README.md explains it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Flask

from eventstore import EventStore, SnapshotStore
from library_app import event_words
from library_app.api import docs
from library_app.api import events as api_events
from library_app.api.document import create_api
from library_app.api.json_only import install_json_only
from library_app.composition import slices_of
from library_app.config import Config
from library_app.edge import FlaskCommandEdge, install_correlation, utc_now
from library_app.errors import install_error_pages
from library_app.glass import boundary as glass_boundary
from library_app.glass import decision as glass_decision
from library_app.glass import events as glass_events
from library_app.glass import race as glass_race
from library_app.glass import race_steps, slice_map
from library_app.glass import stream as glass_stream
from library_app.glass.explanation import Explains
from library_app.glass.live import LiveEvents
from library_app.idempotency import IdempotencyRecords, InMemoryIdempotencyRecords
from library_app.operations import health
from library_app.operations.health import Readiness
from library_app.operations.logs import log_request
from library_app.operations.watching import Watch, WatchedCommandLoop, install_watching
from library_app.pages import copy, desk, home
from library_app.past import QuestionsThen, StoreThen, clock_then
from library_app.race import RaceLab
from library_app.security import install_lab_limit, install_proxies, install_security
from library_app.time_travel import install_time_travel
from slices.live.answering import LiveAnswers
from slices.questions import Replaying
from slices.snapshotted import Snapshotted

__all__ = ["Config", "create_app"]


def create_app(
    store: EventStore,
    *,
    config: Config,
    clock: Callable[[], datetime] = utc_now,
    idempotency: IdempotencyRecords | None = None,
    snapshots: SnapshotStore | None = None,
    live: LiveAnswers | None = None,
    explains: Explains | None = None,
    live_events: LiveEvents | None = None,
    race_lab: RaceLab | None = None,
    watches: Sequence[Watch] = (),
    tracing: Callable[[Flask], None] | None = None,
    readiness: Readiness | None = None,
) -> Flask:
    """Make the app.

    >>> app = create_app(InMemoryEventStore(), config=Config(secret_key="0123456789abcdef"))
    >>> app.test_client().get("/").status_code
    200

    Args:
        store: where the events are.
        config: settings; host, port, workers and threads are the web server's business and not used here.
        clock: the current time in UTC.
        idempotency: where answers to requests with an Idempotency-Key are kept; by default in this process.
        snapshots: where the states behind long answers are kept; without it every answer is folded from all its events.
        live: where the models are asked that are kept up to date beside the log; without it they are folded, too.
        explains: answers the playground within a short time, and tells the SQL of a query and the plan for it; without
            it the store itself is asked, and the page says that there is neither.
        live_events: who is told of new events as they happen. The caller closes it; without it one is made.
        race_lab: where races are run; without it the page says that it needs the database.
        watches: who is told of each request besides the log.
        tracing: gives each request a span; it is called before anything else is installed.
        readiness: says whether requests should come here; without it they always may.
    """
    app = _SyncFlask(__name__)
    app.jinja_env.filters.update(event_family=event_words.event_family, event_words=event_words.event_words)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if tracing is not None:
        tracing(app)
    install_watching(app, (log_request, *watches))
    install_security(app, config)
    install_lab_limit(app, config.lab_limit)
    install_json_only(app)
    install_correlation(app)
    install_error_pages(app)

    live_events = live_events or LiveEvents(store, most_readers=config.live_streams)
    store = then = StoreThen(store)
    clock = clock_then(then, clock)
    install_time_travel(app, then)
    install_proxies(app, config.trusted_proxies)
    replaying = Replaying(store)
    questions = replaying if snapshots is None else QuestionsThen(Snapshotted(replaying, snapshots), replaying)
    records = idempotency or InMemoryIdempotencyRecords()
    edge = FlaskCommandEdge(store, questions, records, clock, email_key=config.email_key)
    api: Any = create_api(app)
    api.register_blueprint(api_events.blueprint(store))
    for blueprint in slices_of(WatchedCommandLoop(store), questions, edge, live):
        api.register_blueprint(blueprint)
    for blueprint in (
        home.blueprint(store, questions),
        copy.blueprint(store, questions, clock),
        desk.blueprint(questions),
        glass_events.blueprint(store),
        glass_decision.blueprint(store, clock),
        glass_boundary.blueprint(store, explains),
        slice_map.blueprint(),
        glass_stream.blueprint(store, live_events),
        glass_race.blueprint(race_lab, clock),
        race_steps.blueprint(race_lab),
        health.blueprint(readiness or Readiness({})),
    ):
        app.register_blueprint(blueprint)
    app.register_blueprint(docs.blueprint())
    return app


class _SyncFlask(Flask):
    """Does not ask of every function, each time it is called, whether it is a coroutine: none of ours is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Called by Flask."""
        return func
