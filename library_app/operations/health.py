"""Whether a process lives, and whether it is ready for requests: for those who start processes and spread requests."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from eventstore import EventStoreError, SchemaMissing, SchemaOutdated, StoreUnavailable

BOUND: Final = 1.0
"""Seconds after which who asks is answered, whatever the database does."""

Check: TypeAlias = Callable[[], str]
"""Says in a few words how something is, or raises NotReady, or an error of the event store."""


class NotReady(Exception):
    """Requests should go elsewhere; the message says why, in words that may be read by anybody."""


@dataclass(slots=True)
class _Look:
    found: dict[str, str] = field(default_factory=dict[str, str])
    is_ready: bool = False
    is_over: threading.Event = field(default_factory=threading.Event)


class Readiness:
    """Looks whether requests can be answered: one look at a time, which all share who ask meanwhile.

    The look has a thread of its own. So a pool without a free connection and a server that swallows everything cost
    one thread, and whoever asks is told within the bound that there is no answer.

    >>> Readiness({"database": lambda: "answers"}).ask()
    (True, {'database': 'answers'})

    Args:
        checks: what to look at, in this order, by name; the first that fails ends the look.
        is_ending: whether the process will end: then it is not ready, and nothing is looked at.
        bound: seconds.
    """

    def __init__(
        self, checks: Mapping[str, Check], is_ending: Callable[[], bool] = lambda: False, bound: float = BOUND
    ) -> None:
        self._checks = checks
        self._is_ending = is_ending
        self._bound = bound
        self._lock = threading.Lock()
        self._look: _Look | None = None

    def ask(self) -> tuple[bool, dict[str, str]]:
        """Whether this process is ready, and what was found, by the name of the check."""
        if self._is_ending():
            return False, {"process": "is about to end"}
        with self._lock:
            look = self._look
            if look is None or look.is_over.is_set():
                self._look = look = _Look()
                threading.Thread(target=self._carry_out, args=(look,), name="readiness", daemon=True).start()
        if look.is_over.wait(self._bound):
            return look.is_ready, look.found
        waited_for = next((name for name in self._checks if name not in look.found), "process")
        return False, {**look.found, waited_for: f"does not answer within {self._bound:g} s"}

    def _carry_out(self, look: _Look) -> None:
        try:
            for name, check in self._checks.items():
                try:
                    look.found[name] = check()
                except (NotReady, EventStoreError) as reason:
                    look.found[name] = _words(reason)
                    return
            look.is_ready = True
        finally:
            look.is_over.set()


def _words(reason: Exception) -> str:
    """What may be read by anybody; the errors of the store name hosts and tables."""
    match reason:
        case NotReady():
            return str(reason)
        case SchemaMissing() | SchemaOutdated():
            return "has a schema that does not fit to this release"
        case StoreUnavailable():
            return "does not answer"
        case _:
            return "cannot be used"


def blueprint(readiness: Readiness) -> Blueprint:
    """The two addresses. They are for machines beside the app, so the document of the API does not tell of them."""
    routes = Blueprint("health", __name__, url_prefix="/health")

    @routes.get("/live")
    def live() -> ResponseReturnValue:
        return jsonify(status="alive")

    @routes.get("/ready")
    def ready() -> ResponseReturnValue:
        is_ready, found = readiness.ask()
        answer = jsonify(status="ready" if is_ready else "not ready", **found)
        return answer, 200 if is_ready else 503

    return routes
