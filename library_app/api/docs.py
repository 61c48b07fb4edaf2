"""`/api`: an index for people, and `/api/docs`: the document in Swagger UI, served from the installed package."""

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, make_response, render_template, send_from_directory
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from library_app.security import CONTENT_SECURITY_POLICY

# Swagger UI draws its icons from data: addresses and sets style attributes on what it renders.
_RELAXED_POLICY: Final = f"{CONTENT_SECURITY_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def blueprint() -> Blueprint:
    """The pages about the API."""
    pages = Blueprint("api_docs", __name__, url_prefix="/api")

    @pages.get("")
    def index() -> str:
        return render_template("api/index.html")

    @pages.get("/docs")
    def docs() -> Response:
        response = make_response(render_template("api/docs.html"))
        response.headers["Content-Security-Policy"] = _RELAXED_POLICY
        return response

    @pages.get("/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js'):name>")
    def asset(name: str) -> Response:
        return send_from_directory(Path(str(swagger_ui_path)), name, max_age=86_400)

    return pages
