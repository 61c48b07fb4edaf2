"""A small application around the slices: a fixed clock, a memory for keys, the plainest templates, no CSRF check."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_smorest import Api  # type: ignore[import-untyped]
from jinja2 import ChoiceLoader, DictLoader

from eventstore import EventStore, InMemoryEventStore
from slices.command_loop import CommandLoop, Patience
from slices.enrollment.course_catalogue import query as course_catalogue
from slices.enrollment.course_catalogue import routes as course_catalogue_routes
from slices.enrollment.course_roster import query as course_roster
from slices.enrollment.course_roster import routes as course_roster_routes
from slices.enrollment.define_course import handler as define_course
from slices.enrollment.define_course import routes as define_course_routes
from slices.enrollment.enroll_student import handler as enroll_student
from slices.enrollment.enroll_student import routes as enroll_student_routes
from slices.enrollment.register_student import handler as register_student
from slices.enrollment.register_student import routes as register_student_routes
from slices.enrollment.registered_students import query as registered_students
from slices.enrollment.registered_students import routes as registered_students_routes
from slices.lending.add_book_copy_to_circulation import handler as add_book_copy
from slices.lending.add_book_copy_to_circulation import routes as add_book_copy_routes
from slices.lending.books_in_circulation import query as books_in_circulation
from slices.lending.books_in_circulation import routes as books_in_circulation_routes
from slices.lending.books_lent_by_reader import query as books_lent_by_reader
from slices.lending.books_lent_by_reader import routes as books_lent_by_reader_routes
from slices.lending.lend_book_to_reader import handler as lend_book
from slices.lending.lend_book_to_reader import routes as lend_book_routes
from slices.lending.register_reader import handler as register_reader
from slices.lending.register_reader import routes as register_reader_routes
from slices.lending.registered_readers import query as registered_readers
from slices.lending.registered_readers import routes as registered_readers_routes
from slices.lending.return_book_from_reader import handler as return_book
from slices.lending.return_book_from_reader import routes as return_book_routes
from slices.origin import Origin
from slices.web import JsonAnswer

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)

BASE = """<title>{% block title %}{% endblock %}</title>
{% for category, notice in get_flashed_messages(with_categories=true) %}
<p class="{{ category }}">{{ notice.text }} {{ notice.event }}</p>
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
"""


@dataclass
class FixedEdge:
    """A `CommandEdge` that stands still and remembers the last answer."""

    routes: list[str] = field(default_factory=list[str])
    known: JsonAnswer | None = None

    def now(self) -> datetime:
        return NOW

    def origin(self) -> Origin:
        return Origin.new()

    def choices(self, key: str) -> Mapping[str, str]:
        return {}

    def once(
        self, route: str, fields: Mapping[str, Any], answer: Callable[[datetime, Origin], JsonAnswer]
    ) -> JsonAnswer:
        self.routes.append(route)
        return self.known or answer(self.now(), self.origin())


@dataclass
class Shop:
    """The application, its store and a browser."""

    store: EventStore = field(default_factory=InMemoryEventStore)
    edge: FixedEdge = field(default_factory=FixedEdge)
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
        for blueprint in self._blueprints():
            api.register_blueprint(blueprint)
        self.browser = self.app.test_client()

    def _blueprints(self) -> list[Any]:
        loop, store, edge = CommandLoop(self.store, Patience(attempts=2)), self.store, self.edge
        return [
            add_book_copy_routes.blueprint(add_book_copy.AddBookCopyToCirculationHandler(loop).handle, edge),
            register_reader_routes.blueprint(register_reader.RegisterReaderHandler(loop).handle, edge),
            lend_book_routes.blueprint(lend_book.LendBookToReaderHandler(loop).handle, edge),
            return_book_routes.blueprint(return_book.ReturnBookFromReaderHandler(loop).handle, edge),
            define_course_routes.blueprint(define_course.DefineCourseHandler(loop).handle, edge),
            register_student_routes.blueprint(register_student.RegisterStudentHandler(loop).handle, edge),
            enroll_student_routes.blueprint(enroll_student.EnrollStudentHandler(loop).handle, edge),
            books_in_circulation_routes.blueprint(books_in_circulation.BooksInCirculationHandler(store).handle),
            books_lent_by_reader_routes.blueprint(books_lent_by_reader.BooksLentByReaderHandler(store).handle),
            registered_readers_routes.blueprint(registered_readers.RegisteredReadersHandler(store).handle),
            course_catalogue_routes.blueprint(course_catalogue.CourseCatalogueHandler(store).handle),
            course_roster_routes.blueprint(course_roster.CourseRosterHandler(store).handle),
            registered_students_routes.blueprint(registered_students.RegisteredStudentsHandler(store).handle),
        ]
