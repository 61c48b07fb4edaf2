"""A small application around the slices: a fixed clock, a memory for keys, the plainest templates, no CSRF check."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_smorest import Api  # type: ignore[import-untyped]
from jinja2 import ChoiceLoader, DictLoader

from eventstore import EventStore, InMemoryEventStore
from library_app.composition import slices_of
from slices.command_loop import CommandLoop, Patience
from slices.grounds import NO_GROUNDS, Grounds
from slices.origin import Origin
from slices.outcome import Outcome
from slices.questions import Replaying
from slices.web import JsonAnswer

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)

BASE = """<title>{% block title %}{% endblock %}</title>
{% for category, notice in get_flashed_messages(with_categories=true) %}
<p class="{{ category }}">{{ notice.text }} {{ notice.events | join(", ") }}</p>
{% endfor %}
{% block content %}{% endblock %}"""

MACROS = """
{% macro field(errors, values, name, label, type='text', options=none) %}
<label>{{ label }}<input name="{{ name }}" type="{{ type }}" value="{{ values[name] }}"{{ kwargs | xmlattr }}></label>
{{ errors[name] | join(" ") if errors[name] }}
{% endmacro %}
{% macro csrf() %}<input type="hidden" name="csrf_token" value="token">{% endmacro %}
{% macro id_chip(value) %}<span title="{{ value }}">{{ value[-6:] }}</span>{% endmacro %}
{% macro event_link(number) %}<a href="/glass/events/{{ number }}">#{{ number }}</a>{% endmacro %}
{% macro event_chip(event_type) %}({{ event_type }}){% endmacro %}
"""


@dataclass
class FixedEdge:
    """A `CommandEdge` that stands still and remembers the last answer."""

    routes: list[str] = field(default_factory=list[str])
    known: JsonAnswer | None = None
    follows_from: Grounds = NO_GROUNDS

    def now(self) -> datetime:
        return NOW

    def origin(self) -> Origin:
        return Origin.new()

    def choices(self, key: str) -> Mapping[str, str]:
        return {}

    def decision_page(self, command: object, outcome: Outcome | None = None) -> str:
        return f"/why/{type(command).__name__}/{outcome.report.read_up_to if outcome else 'now'}"

    def grounds(self, command: object, outcome: Outcome) -> Grounds:
        return self.follows_from

    def keyed_hash(self, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def once(
        self,
        route: str,
        fields: Mapping[str, Any],
        ids: Collection[str],
        answer: Callable[[datetime, Origin], JsonAnswer],
    ) -> JsonAnswer:
        self.routes.append(route)
        return self.known or answer(self.now(), self.origin())


@dataclass
class Shop:
    """The application, its store and a browser.

    Attributes:
        documented: with the OpenAPI document, which takes most of the time that it takes to make the application.
    """

    store: EventStore = field(default_factory=InMemoryEventStore)
    edge: FixedEdge = field(default_factory=FixedEdge)
    documented: bool = False
    app: Flask = field(init=False)
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.app = Flask("shop")
        self.app.config.update(
            TESTING=True, SECRET_KEY="none", API_TITLE="Shop", API_VERSION="1", OPENAPI_VERSION="3.1.0"
        )
        templates = DictLoader({"base.html": BASE, "macros.html": MACROS})
        self.app.jinja_loader = ChoiceLoader([templates])
        api = Api(self.app)
        loop = CommandLoop(self.store, Patience(attempts=2))
        for blueprint in slices_of(loop, Replaying(self.store), self.edge):
            (api if self.documented else self.app).register_blueprint(blueprint)
        self.browser = self.app.test_client()
