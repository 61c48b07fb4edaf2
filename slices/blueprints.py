"""The routes that slices have in common: a JSON API with its OpenAPI document, and pages for people.

A slice says what differs: addresses, fields, templates, words. Its blueprint answers programs; the blueprint `pages`
nested in it answers people. So an application can treat the two differently (CSRF protection is for pages).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import flask_smorest  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from flask import Blueprint as PlainBlueprint
from flask import Response
from marshmallow import INCLUDE, Schema, fields

from slices.fields import Asked, Body, hashed, id_keys
from slices.forms import CommandForm, Page
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle, JsonAnswer, Make, as_response, json_answer

C = TypeVar("C")
View = TypeVar("View", bound=Callable[..., Any])

SliceBlueprint: TypeAlias = flask_smorest.Blueprint
"""What the application registers with `Api.register_blueprint`."""


class StoredEventView(Schema):
    """An event that was written."""

    SequenceNumber = fields.Integer(required=True)
    EventType = fields.String(required=True)


class OutcomeView(Schema):
    """The answer to a command, besides the ids it concerns."""

    class Meta:
        unknown = INCLUDE  # the ids

    Outcome = fields.String(required=True, metadata={"enum": ["appended", "nothing", "rejected"]})
    Events: fields.List[Any] = fields.List(
        fields.Nested(StoredEventView), required=True, metadata={"description": "What was written, in order."}
    )
    Report = fields.Dict(
        metadata={"description": "Attempts, conflicts and seconds. Not in an answer that was recovered after a crash."}
    )


class InFlightView(Schema):
    """The same request is being carried out: a problem (RFC 9457) that will pass."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "In plain words."})


class RejectionView(InFlightView, OutcomeView):
    """A refusal by the rules of the domain, as a problem (RFC 9457)."""

    class Meta:
        unknown = INCLUDE

    reason = fields.String(required=True, metadata={"description": "The stable name of the rejection."})
    failure_event = fields.Integer(required=True, allow_none=True)


def command_blueprint(
    import_name: str,
    *,
    api: str,
    body: type[Body],
    make: Make[C],
    page: Page[C],
    handle: Handle[C],
    web: CommandEdge,
) -> SliceBlueprint:
    """The blueprint of a write slice.

    Args:
        import_name: of the slice's `routes` module.
        api: "/api/<context>/<command>"; what follows "/api/" is the route's name in `CommandEdge.once`.
        body: the fields, for programs and people.
        make: the command from the fields, the time and the origin. Of an address the fields hold only the keyed hash.
        page: the form.
        handle: carries the command out.
        web: the application around.
    """
    blueprint, pages = slice_blueprint(import_name)
    schema = body()
    ids = id_keys(schema)

    def answer_program(sent: Fields) -> Response:
        fields = hashed(schema, sent, web.keyed_hash)

        def answer(now: datetime, origin: Origin) -> JsonAnswer:
            command = make(fields, now, origin)
            return json_answer(command, handle(command, origin))

        return as_response(web.once(api.removeprefix("/api/"), fields, ids, answer))

    answer_program.__doc__ = body.__doc__
    _document_command(blueprint, api, schema, answer_program)

    form = CommandForm(page, schema, make, handle, web)
    pages.add_url_rule(page.address, "show", form.show, methods=["GET"])
    pages.add_url_rule(page.address, "submit", form.submit, methods=["POST"])
    pages.add_url_rule(page.look, "look", form.look, methods=["POST"])
    return blueprint


def slice_blueprint(import_name: str) -> tuple[SliceBlueprint, PlainBlueprint]:
    """An empty blueprint, named after the slice, and the `pages` nested in it."""
    _, _, name, _ = import_name.split(".")
    blueprint: Any = flask_smorest.Blueprint(name, import_name, template_folder="templates")
    pages = PlainBlueprint("pages", __name__, template_folder="templates")
    # Flask's own way of nesting: pages have no place in the OpenAPI document.
    PlainBlueprint.register_blueprint(blueprint, pages)
    return blueprint, pages


def question(blueprint: Any, api: str, view: type[Schema], asked: type[Asked] | None = None) -> Callable[[View], View]:
    """Register a function as the JSON answer to a question.

    Args:
        blueprint: of the read slice.
        api: "/api/<context>/<question>".
        view: serialises and documents what the function returns.
        asked: what may be in the query string, if anything: the function is given what it loads, and what it refuses
            is a 422 that names the parameter.
    """

    def register(function: View) -> View:
        documented = blueprint.response(200, view)(function)
        documented = blueprint.alt_response(503, response="SERVICE_UNAVAILABLE")(documented)
        if "<" in api:
            documented = blueprint.alt_response(404, response="NOT_FOUND")(documented)
        if asked is not None:
            documented = blueprint.arguments(asked, location="query", unknown="raise")(documented)
        blueprint.add_url_rule(api, "api", documented, tags=[_context_of(api)])
        return function

    return register


def _document_command(blueprint: Any, api: str, body: Body, view: Callable[[Fields], Response]) -> None:
    key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
    header = {"in": "header", "name": "Idempotency-Key", "schema": key, "required": False}
    for document in (
        blueprint.response(201, OutcomeView, description="Done: the events are stored."),
        blueprint.alt_response(200, schema=OutcomeView, description="It is the case already: nothing was written."),
        blueprint.alt_response(
            409,
            schema={"anyOf": [RejectionView, InFlightView]},
            content_type="application/problem+json",
            description="The rules forbid it (`reason`), or the same key is in flight (`Retry-After`).",
        ),
        blueprint.alt_response(400, response="BAD_REQUEST"),
        blueprint.alt_response(413, response="REQUEST_ENTITY_TOO_LARGE"),
        blueprint.alt_response(415, response="UNSUPPORTED_MEDIA_TYPE"),
        blueprint.alt_response(503, response="SERVICE_UNAVAILABLE"),
        blueprint.doc(parameters=[header]),
        blueprint.arguments(body),
    ):
        view = document(view)
    blueprint.add_url_rule(api, "api", view, methods=["POST"], tags=[_context_of(api)])


def _context_of(api: str) -> str:
    return api.split("/")[2].capitalize()
