"""Bodies that no slice should see: other media types, and text that is no JSON object."""

import json
from typing import Final

from flask import Flask, request
from werkzeug.wrappers import Response

from library_app.problems import problem
from library_app.security import is_api

_WITH_BODY: Final = ("POST", "PUT", "PATCH")


def install_json_only(app: Flask) -> None:
    """Refuse, below /api, every body that is not a JSON object."""
    app.before_request(_refusal)


def _refusal() -> Response | None:
    if request.method not in _WITH_BODY or not is_api(request.path) or request.routing_exception is not None:
        return None
    if request.mimetype != "application/json":
        sent = f"not {request.mimetype}" if request.mimetype else "and say so in Content-Type"
        return problem(415, f"Send application/json, {sent}.", headers={"Accept": "application/json"})
    try:
        body = json.loads(request.get_data(cache=True), parse_constant=_refuse_constant)
    except RecursionError:
        return problem(400, "The JSON is nested too deeply.")
    except ValueError as reason:  # includes text that is not UTF-8 and numbers of thousands of digits
        where = f" {reason}." if isinstance(reason, json.JSONDecodeError) else ""
        return problem(400, f"The body is not valid JSON.{where}")
    if not isinstance(body, dict):
        return problem(422, "The body must be a JSON object.")
    return None


def _refuse_constant(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is no JSON", name, 0)
