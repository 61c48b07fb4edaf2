"""What people and programs see when something goes wrong: nothing internal, and what to do next."""

from collections.abc import Mapping
from typing import Final

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from werkzeug.exceptions import HTTPException

from eventstore import EventStoreError, StoreUnavailable
from library_app.operations.watching import route
from library_app.problems import RequestRefused, errors_by_field, problem, title_of
from library_app.security import is_api
from slices.command_loop import TooMuchContention

_DETAILS: Final[Mapping[int, str]] = {
    400: "The request could not be understood.",
    404: "There is nothing at this address.",
    405: "This address does not do what was asked of it.",
    413: "The request is too large.",
    415: "Send JSON, with the header Content-Type: application/json.",
    422: "Some of what was sent cannot be used.",
    500: "Something went wrong on our side. It has been logged.",
}
_RETRY: Final = {"Retry-After": "2"}


def install_error_pages(app: Flask) -> None:
    """Answer every error: as a problem below /api, as a page elsewhere."""

    def refused_by_http(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None or (error.code or 500) < 400:  # redirects are exceptions too
            return error.get_response()
        status = error.code or 500
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
        return _answer(status, _DETAILS.get(status, title_of(status)), errors_by_field(error), headers)

    def form_expired(_: CSRFError) -> ResponseReturnValue:
        return _answer(400, "This form is no longer valid. Go back, reload the page and send it again.")

    def refused_by_us(error: RequestRefused) -> ResponseReturnValue:
        return _answer(error.status, error.detail, headers=error.headers)

    def contention(error: TooMuchContention) -> ResponseReturnValue:
        app.logger.warning("too much contention: %s", error)
        return _answer(503, "Too many people want the same just now. Nothing was changed; try again.", headers=_RETRY)

    def unavailable(error: StoreUnavailable) -> ResponseReturnValue:
        app.logger.warning("the event store is unavailable: %s", error)
        detail = "The event store does not answer just now. Try again in a moment."
        if error.outcome_unknown:
            detail = (
                "The connection to the event store broke; what was asked for may have happened. Look before you repeat"
                " it, or repeat it with the same Idempotency-Key."
            )
        return _answer(503, detail, headers=_RETRY)

    def broken_store(error: EventStoreError) -> ResponseReturnValue:
        app.logger.error("the event store cannot be used", exc_info=error)
        return _answer(500, _DETAILS[500])

    def unexpected(error: Exception) -> ResponseReturnValue:
        app.logger.error("%s %s failed", request.method, route(), exc_info=error)
        return _answer(500, _DETAILS[500])

    app.register_error_handler(HTTPException, refused_by_http)
    app.register_error_handler(CSRFError, form_expired)
    app.register_error_handler(RequestRefused, refused_by_us)
    app.register_error_handler(TooMuchContention, contention)
    app.register_error_handler(StoreUnavailable, unavailable)
    app.register_error_handler(EventStoreError, broken_store)
    app.register_error_handler(Exception, unexpected)


def _answer(
    status: int,
    detail: str,
    errors: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    if is_api(request.path):
        return problem(status, detail, errors=errors, headers=headers)
    page = render_template("error.html", status=status, title=title_of(status), detail=detail, errors=errors or {})
    return page, status, dict(headers or {})
