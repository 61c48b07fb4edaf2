"""Errors as `application/problem+json` (RFC 9457), and the exceptions that carry them."""

import http
from collections.abc import Iterable, Mapping
from typing import Any, cast

from flask import Response, json
from werkzeug.exceptions import HTTPException

Errors = Mapping[str, list[str]]
"""What is wrong, by field."""


class RequestRefused(Exception):
    """The request cannot be carried out, for a reason that the client should read.

    Attributes:
        status: the HTTP status.
        detail: a sentence for the person who reads it.
        headers: further headers of the response.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def title_of(status: int) -> str:
    """The name of a status, such as "Not Found"."""
    return http.HTTPStatus(status).phrase


def problem(
    status: int, detail: str, *, errors: Errors | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Make the response.

    Args:
        status: the HTTP status; its name is the title.
        detail: what went wrong, in a sentence.
        errors: what is wrong with which field of the request.
        headers: further headers.
    """
    body: dict[str, Any] = {"type": "about:blank", "title": title_of(status), "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    response = Response(json.dumps(body), status, mimetype="application/problem+json")
    response.headers.update(headers or {})
    return response


def errors_by_field(error: HTTPException) -> Errors:
    """What webargs found, without its outermost level (the part of the request)."""
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    parts: Mapping[str, Mapping[str, Any]] = data.get("messages") or {}
    return {name: _sentences(reasons) for fields in parts.values() for name, reasons in fields.items()}


def _sentences(reasons: Any) -> list[str]:
    if isinstance(reasons, dict):
        nested = cast("Mapping[Any, Any]", reasons)
        return [sentence for inner in nested.values() for sentence in _sentences(inner)]
    if isinstance(reasons, list):
        several = cast("Iterable[Any]", reasons)
        return [sentence for inner in several for sentence in _sentences(inner)]
    return [str(reasons)]
