"""Every page once more below `/as-of/<number>/…`: what it said when that event was the newest.

    /library/books              the present
    /as-of/412/library/books    the same page when event 412 had just happened

The number is moved from the path to the address that the app lies below (SCRIPT_NAME of WSGI). So every link that a
page makes stays in its past, and the store answers with no event that came later. No page and no slice knows of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from eventstore import EventStoreError
from library_app.glass.events import ShownEvent
from library_app.past import AS_OF, PastCannotBeChanged, StoreThen, as_of
from library_app.problems import RequestRefused

ONLY_NOW: Final = (
    "/as-of",
    "/api/docs",
    "/api/openapi.json",
    "/glass/boundary",
    "/glass/race",
    "/glass/slices",
    "/glass/stream",
    "/health",
    "/metrics",
    "/static",
)
"""What has no past, or can be asked for it in a way of its own."""

_IN_THE_PAST: Final = re.compile(r"/as-of/(0|[1-9][0-9]{0,17})(?=/|\Z)")
_POSITION: Final = re.compile(r"[0-9]{1,18}")
_ROOT: Final = "library_app.root"
_SAFE: Final = "/!$&'()*+,;=:@~"


@dataclass(frozen=True, slots=True)
class Moment:
    """What the bar on a page of the past says.

    Attributes:
        number: as of this event.
        head: the newest event in the present; the slider ends there.
        newest: the newest event then; None if there was none yet.
    """

    number: int
    head: int
    newest: ShownEvent | None


def install_time_travel(app: Flask, store: StoreThen) -> None:
    """Serve the past below `/as-of/<number>`; `/as-of?position=…&page=…` leads there.

    Args:
        app: whose pages.
        store: the store that all of them ask.
    """

    def check() -> ResponseReturnValue | None:
        number = as_of()
        if number is None:
            return None
        if any(request.path == path or request.path.startswith(f"{path}/") for path in ONLY_NOW):
            return redirect(_root() + _page())
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            return _what_would_have_been_decided(app, number)
        head = store.head()
        if number > head:
            raise RequestRefused(404, f"The log ends at event #{head}. What comes after it has yet to happen.")
        return None

    def context() -> dict[str, Any]:
        return {"root": _root(), "page": _page(), "moment_then": _moment(store)}

    def travel() -> ResponseReturnValue:
        position = request.args.get("position", "").strip()
        if position and not _POSITION.fullmatch(position):
            raise RequestRefused(422, "A position in the log, please: the number of an event.")
        head = store.head()
        page = quote("/" + request.args.get("page", "").lstrip("/"), safe=f"{_SAFE}?%")
        return redirect(f"{_root()}/as-of/{min(int(position or head), head)}{page}", 303)

    app.wsgi_app = _moved(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.before_request(check)
    app.context_processor(context)
    app.add_url_rule("/as-of", "as_of", travel)


def _moved(inner: WSGIApplication) -> WSGIApplication:
    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[_ROOT] = environ.get("SCRIPT_NAME", "")
        path: str = environ.get("PATH_INFO", "")
        if found := _IN_THE_PAST.match(path):
            environ[AS_OF] = int(found[1])
            environ["SCRIPT_NAME"] = environ[_ROOT] + found[0]
            environ["PATH_INFO"] = path[found.end() :] or "/"
        return inner(environ, start_response)

    return outer


def _what_would_have_been_decided(app: Flask, number: int) -> ResponseReturnValue | None:
    """A form of the past changes nothing. It shows what the command would have been decided on."""
    adapter = app.create_url_adapter(request)
    assert adapter is not None  # there is a request
    if request.path.endswith("/boundary"):
        return None
    look = f"{request.path}/boundary"
    try:
        adapter.match(look, method="POST")
    except HTTPException:
        raise PastCannotBeChanged(number) from None
    return redirect(request.script_root + look, 307)


def _moment(store: StoreThen) -> Moment | None:
    number = as_of()
    if number is None:
        return None
    try:
        newest = store.newest()
        return Moment(number, store.head(), ShownEvent.of(newest) if newest else None)
    except EventStoreError:  # the page that says so needs no bar
        return None


def _root() -> str:
    return quote(request.environ[_ROOT].encode("latin-1"))


def _page() -> str:
    """Path and arguments of the page, without the past that it is shown in."""
    query = request.query_string.decode("latin-1")
    return quote("/" + request.path.lstrip("/"), safe=_SAFE) + (f"?{query}" if query else "")
