"""What happens to each request, as one value, told to whoever watches: the log, the metrics."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, TypeAlias, TypeVar

from flask import Flask, Response, has_request_context, request

from eventstore import Filter, uuid7
from library_app.edge import correlation_id
from library_app.past import as_of
from slices.command_loop import CommandLoop, TooMuchContention
from slices.decision import AnyDecision, Append, Nothing, Reject
from slices.domain_event import DomainEvent
from slices.origin import Origin
from slices.outcome import Outcome, Report, StoredEvent

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E", bound=DomainEvent)

REQUEST_HEADER: Final = "X-Request-ID"
TRACE: Final = "library_app.trace"
"""The key in the WSGI environment of what a line of the log says of the trace that a request belongs to."""

_PLAUSIBLE_ID: Final = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_BEGAN: Final = "library_app.began"
_REQUEST_ID: Final = "library_app.request_id"
_COMMANDS: Final = "library_app.commands"


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What became of a command.

    Attributes:
        slice: such as "lending/lend_book_to_reader".
        decision: "appended", "nothing", "rejected", or "given up" when others were always quicker.
        reason: the stable name of the rejection; empty otherwise.
        events: what was written.
        report: how it got there.
    """

    slice: str
    decision: str
    reason: str
    events: tuple[StoredEvent, ...]
    report: Report


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request that has its answer. The parts of an answer that is streamed may still be on their way.

    Attributes:
        method: of HTTP; "OTHER" for one that nobody knows.
        route: the rule that matched, never what was asked for with it; "(none)" if there is no such address.
        status: of HTTP.
        seconds: from its arrival in the app to the answer.
        commands: what was carried out.
    """

    method: str
    route: str
    status: int
    seconds: float
    commands: tuple[CarriedOut, ...]


Watch: TypeAlias = Callable[[AnsweredRequest], None]


def install_watching(app: Flask, watches: Sequence[Watch]) -> None:
    """Tell of each request, and give each answer the id under which the log speaks of it.

    Install it first: then it measures all that the others do.
    """

    def begin() -> None:
        request.environ[_BEGAN] = perf_counter()

    def tell(response: Response) -> Response:
        response.headers[REQUEST_HEADER] = request_id()
        seconds = perf_counter() - request.environ[_BEGAN]
        commands = tuple(request.environ.get(_COMMANDS, ()))
        answered = AnsweredRequest(http_method(), route(), response.status_code, seconds, commands)
        for watch in watches:
            watch(answered)
        return response

    app.before_request(begin)
    app.after_request(tell)


def request_id() -> str:
    """The id of the current request: that of the proxy in front if it is a plausible one, else a new one."""
    known = request.environ.get(_REQUEST_ID)
    if isinstance(known, str):
        return known
    sent = request.headers.get(REQUEST_HEADER, "")
    chosen = sent if _PLAUSIBLE_ID.fullmatch(sent) else str(uuid7())
    request.environ[_REQUEST_ID] = chosen
    return chosen


def route() -> str:
    """The rule that the address of the current request matches, without any value."""
    return "(none)" if request.url_rule is None else request.url_rule.rule


def about_the_request() -> dict[str, Any]:
    """What every line of the log says of the current request; nothing outside of one."""
    if not has_request_context():
        return {}
    about = {
        "request_id": request_id(),
        "correlation_id": str(correlation_id()),
        "method": http_method(),
        "route": route(),
        **request.environ.get(TRACE, {}),
    }
    number = as_of()
    return about if number is None else {**about, "as_of": number}


def http_method() -> str:
    """The method of the current request; "OTHER" if HTTP does not know it."""
    return request.method if request.method in _METHODS else "OTHER"


@dataclass(frozen=True, slots=True)
class WatchedCommandLoop(CommandLoop):
    """A command loop that remembers, for whoever watches the request, what became of its command."""

    def run(
        self,
        command: C,
        origin: Origin,
        *,
        boundary: Callable[[C], Filter],
        start: Callable[[C], S],
        evolve: Callable[[S, E], S],
        decide: Callable[[S, C], AnyDecision],
    ) -> Outcome:
        """See `CommandLoop.run`."""
        try:
            outcome = CommandLoop.run(
                self, command, origin, boundary=boundary, start=start, evolve=evolve, decide=decide
            )
        except TooMuchContention as error:
            _remember(CarriedOut(_slice_of(command), "given up", "", (), error.report))
            raise
        decision, reason = _words(outcome.decision)
        _remember(CarriedOut(_slice_of(command), decision, reason, outcome.events, outcome.report))
        return outcome


def _remember(command: CarriedOut) -> None:
    if has_request_context():
        request.environ.setdefault(_COMMANDS, []).append(command)


def _slice_of(command: object) -> str:
    _, context, name, *_ = type(command).__module__.split(".")
    return f"{context}/{name}"


def _words(decision: AnyDecision) -> tuple[str, str]:
    match decision:
        case Append():
            return "appended", ""
        case Nothing():
            return "nothing", ""
        case Reject(reason):
            return "rejected", reason.name
