"""What Prometheus is told at /metrics: how many, how long, how far. All workers count together.

Whichever worker is asked answers for all: each writes its numbers into files of a folder that they share (the
"multiprocess mode" of prometheus_client). The library looks for that folder when it is imported, so import this module
after `shared_folder` of `metrics_folder` was opened, or not at all.

Labels take few values: rules of routes, methods, statuses, slices, decisions. Nothing that a client can choose.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from eventstore import EventStoreError
from eventstore.postgres import AppendTimes
from eventstore.postgres.pool import Pool
from library_app.operations.metrics_folder import folder_of_all
from library_app.operations.watching import AnsweredRequest, CarriedOut
from slices.live.answering import LiveAnswers
from slices.live.model import LiveModel

_REQUEST_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_APPEND_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics:
    """The numbers of this process. `watch` and `note_append` count; `look` sets the gauges."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        here: dict[str, Any] = {"registry": registry}
        of_all: dict[str, Any] = {"registry": registry, "multiprocess_mode": "livesum"}
        of_any: dict[str, Any] = {"registry": registry, "multiprocess_mode": "livemostrecent"}
        route, slices = ("method", "route", "status"), ("slice",)
        self._requests = Histogram(
            "library_request_seconds", "Requests, until the answer.", route, buckets=_REQUEST_SECONDS, **here
        )
        self._commands = Counter("library_commands", "Commands that were decided.", ("slice", "decision"), **here)
        self._events = Counter("library_events_written", "Events that commands wrote.", slices, **here)
        self._conflicts = Counter("library_conflicts", "Appends that others were quicker than.", slices, **here)
        self._retries = Counter("library_command_retries", "Decisions that were taken anew.", slices, **here)
        self._repeats = Counter("library_append_repeats", "Appends that were sent again.", slices, **here)
        self._appending = Histogram(
            "library_append_seconds", "Appends of commands, with their ways.", slices, buckets=_APPEND_SECONDS, **here
        )
        self._lock = Histogram(
            "library_append_lock_wait_seconds",
            "Waits of appends for their turn.",
            ("status",),
            buckets=_APPEND_SECONDS,
            **here,
        )
        self._pool = Gauge("library_pool_connections", "Connections to the database.", ("state",), **of_all)
        self._waiting = Gauge("library_pool_waiting", "Requests that wait for a connection.", **of_all)
        self._streams = Gauge("library_live_streams", "Pages that follow new events.", **of_all)
        self._head = Gauge("library_head_position", "The number of the newest event.", **of_any)
        self._lag = Gauge("library_live_model_lag_events", "Events not yet in a live model.", ("model",), **of_any)

    def watch(self, answered: AnsweredRequest) -> None:
        """Count a request and what it carried out."""
        self._requests.labels(answered.method, answered.route, answered.status).observe(answered.seconds)
        for command in answered.commands:
            self._count(command)

    def note_append(self, times: AppendTimes) -> None:
        """Count how long an append waited; see `PostgresEventStore`'s `on_append`."""
        self._lock.labels(times.status).observe(times.lock_waited)

    def look(self, pool: Pool, streams: int, live: LiveAnswers, models: Iterable[LiveModel[Any]]) -> None:
        """Set all gauges. While the database is away, what it is asked for stays as it was.

        Args:
            pool: whose connections to count.
            streams: how many pages follow new events.
            live, models: the live models to ask for their positions, and where.
        """
        stats = pool.get_stats()
        for state, name in (("open", "pool_size"), ("idle", "pool_available"), ("most", "pool_max")):
            self._pool.labels(state).set(stats.get(name, 0))
        self._waiting.set(stats.get("requests_waiting", 0))
        self._streams.set(streams)
        for model in models:
            with suppress(EventStoreError):
                status = live.status(model)
                self._head.set(status.head)
                self._lag.labels(model.name).set(max(0, status.head - status.position))

    def exposition(self) -> bytes:
        """The numbers of all processes, in the text that Prometheus reads."""
        folder = folder_of_all()
        if folder is None:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, folder)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def blueprint(self) -> Blueprint:
        """The address at which Prometheus asks."""
        routes = Blueprint("metrics", __name__)

        @routes.get("/metrics")
        def numbers() -> Response:
            return Response(self.exposition(), content_type=CONTENT_TYPE_LATEST)

        return routes

    def _count(self, command: CarriedOut) -> None:
        self._commands.labels(command.slice, command.decision).inc()
        self._events.labels(command.slice).inc(len(command.events))
        attempts = command.report.attempts
        self._conflicts.labels(command.slice).inc(len(command.report.conflicts))
        self._retries.labels(command.slice).inc(len(attempts) - 1)
        for attempt in attempts:
            if attempt.appends:
                self._appending.labels(command.slice).observe(attempt.appending)
                self._repeats.labels(command.slice).inc(attempt.appends - 1)
