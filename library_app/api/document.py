"""flask-smorest's Api, with problems as the shape of every error."""

import http
from typing import Any, Final

from flask import Flask, Response, jsonify
from flask_smorest import Api  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from marshmallow import Schema, fields

from library_app.edge import KEY_HEADER, REPLAYED_HEADER

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer"}}}

_DESCRIPTION: Final = f"""
Commands and questions of a library and a school, and the log of events below them.

A command answers 201 if events were written, 200 if nothing was to do, and 409 if the rules forbid it. Every error is a
problem (RFC 9457). Send `{KEY_HEADER}` (1 to 255 visible ASCII characters, a new one for each command) with a POST, and
the same request can be sent again safely: it is carried out once, and answered the same way with
`{REPLAYED_HEADER}: true`.
"""


class ProblemSchema(Schema):
    """An error, as RFC 9457 wants it."""

    class Meta:
        title = "Problem"

    type = fields.String(metadata={"description": "A URN that names the kind, or about:blank."})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "What is wrong, by field."},
    )


class LibraryApi(Api):  # type: ignore[misc]
    """Documents every error as a problem, and leaves answering errors to the application."""

    ERROR_SCHEMA = ProblemSchema
    spec: Any

    def _openapi_json(self) -> Response:
        """The document, without the tags that flask-smorest adds for each blueprint and no operation has."""
        document: dict[str, Any] = self.spec.to_dict()
        used: set[str] = set()
        for path in document["paths"].values():
            for method in ("get", "post"):
                used.update(path.get(method, {}).get("tags", ()))
        return jsonify({**document, "tags": [{"name": tag} for tag in sorted(used)]})

    def _register_error_handlers(self) -> None:
        """The application answers errors, for pages and programs alike."""

    def _register_responses(self) -> None:
        content: dict[str, Any] = {PROBLEM_MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}}
        for status in http.HTTPStatus:
            described: dict[str, Any] = {"description": status.phrase}
            if status >= 400:
                described["content"] = content
            if status is http.HTTPStatus.SERVICE_UNAVAILABLE:
                described["headers"] = _RETRY_AFTER
            self.spec.components.response(status.name, described, lazy=True)
        self.spec.components.response(
            "DEFAULT_ERROR", {"description": "Any other error", "content": content}, lazy=True
        )


def create_api(app: Flask) -> LibraryApi:
    """Make the Api that blueprints register with. Its document is served at /api/openapi.json."""
    app.config.from_mapping(
        API_TITLE="The Glass Library",
        API_VERSION="1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": _DESCRIPTION.strip()}},
    )
    return LibraryApi(app)
