"""`/glass/slices`: the map of all slices, and how each of them works; read off the code, as `slices.slice_map` does."""

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Final, TypeAlias

from flask import Blueprint, abort, current_app, render_template, url_for
from werkzeug.routing import Rule

from slices.domain_event import json_key
from slices.slice_map import CONTEXTS, ReadSlice, WriteSlice, read_slices, write_slices
from slices.slice_map_text import asked, in_words, meeting_things, whose

AnySlice: TypeAlias = WriteSlice | ReadSlice

_ARGUMENT: Final = re.compile(r"<(?:[^<>:]+:)?([^<>]+)>")


@dataclass(frozen=True, slots=True)
class Door:
    """A way into a slice.

    Attributes:
        address: as people write it, such as "/library/readers/<ReaderID>".
        link: where to go for it; None if nobody can without an id.
        method: such as "POST".
    """

    address: str
    link: str | None
    method: str


@dataclass(frozen=True, slots=True)
class Doors:
    """The ways into a slice: for people and for programs. None if the app has none.

    Attributes:
        page: its form or its page.
        api: its JSON route; the link leads to its place in the browsable document.
    """

    page: Door | None
    api: Door | None


@dataclass(frozen=True, slots=True)
class Context:
    """What the map shows of a context.

    Attributes:
        name: such as "lending".
        commands: the write slices, by name.
        questions: the read slices, by name.
        things: what commands can meet over, in words.
    """

    name: str
    commands: tuple[WriteSlice, ...]
    questions: tuple[ReadSlice, ...]
    things: str

    @classmethod
    def named(cls, name: str) -> "Context":
        """Ask the map of the slices."""
        commands = write_slices(name)
        return cls(name, commands, read_slices(name), meeting_things(commands))


def blueprint() -> Blueprint:
    """The routes. Their templates ask `disturbed_by` of the slices themselves."""
    routes = Blueprint("slice_map", __name__, url_prefix="/glass/slices")

    @routes.get("")
    def every_slice() -> str:
        return render_template(
            "glass/slices.html",
            contexts=[Context.named(name) for name in CONTEXTS],
            doors=doors_of,
            asked=asked,
            in_words=in_words,
        )

    @routes.get("/<context>/<name>")
    def one_slice(context: str, name: str) -> str:
        found = find_slice(context, name)
        if found is None:
            abort(404)
        file = "decide.py" if isinstance(found, WriteSlice) else "project.py"
        return render_template(
            "glass/slice.html",
            slice=found,
            doors=doors_of(found),
            whose=whose,
            words=inspect.getdoc(importlib.import_module(_package(found))),
            file=file,
            source=resources.files(_package(found)).joinpath(file).read_text("utf-8"),
            met_by=list(_met_by(found)),
            meets=list(_meets(found)),
        )

    return routes


def find_slice(context: str, name: str) -> AnySlice | None:
    """A slice on the map; nothing else is ever imported or read.

    >>> find_slice("lending", "lend_book_to_reader").summary
    'Lend a copy of a book to a reader.'
    """
    if context not in CONTEXTS:
        return None
    slices: tuple[AnySlice, ...] = write_slices(context) + read_slices(context)
    return next((found for found in slices if found.name == name), None)


def doors_of(found: AnySlice) -> Doors:
    """Look a slice's addresses up among those that the app serves now; its blueprint has its name.

    >>> with app.test_request_context():
    ...     doors_of(find_slice("lending", "lend_book_to_reader")).page
    Door(address='/library/lend', link='/library/lend', method='GET')
    """
    page = api = None
    for rule in current_app.url_map.iter_rules():
        blueprint, _, endpoint = rule.endpoint.partition(".")
        if blueprint != found.name:
            continue
        method = next(method for method in sorted(rule.methods or ()) if method not in ("HEAD", "OPTIONS"))
        if endpoint == "api":
            api = Door(_address(rule), _documented(found.context, rule, method), method)
        elif method == "GET":
            page = Door(_address(rule), None if _ARGUMENT.search(rule.rule) else url_for(rule.endpoint), method)
    return Doors(page, api)


def _address(rule: Rule) -> str:
    return _ARGUMENT.sub(lambda argument: f"<{json_key(argument[1])}>", rule.rule)


def _documented(context: str, rule: Rule, method: str) -> str:
    """Where Swagger UI shows a route: under its tag, by method and path, in which all but letters and digits is "_"."""
    path = _ARGUMENT.sub(r"{\1}", rule.rule)
    operation = method.lower() + re.sub(r"\W", "_", path)
    return f"{url_for('api_docs.docs')}#/{context.capitalize()}/{operation}"


def _met_by(found: AnySlice) -> Iterator[tuple[WriteSlice, tuple[str, ...]]]:
    """The commands whose events this slice cannot overlook, with those events."""
    for other in write_slices(found.context):
        events = found.disturbed_by(other) if isinstance(found, WriteSlice) else _read_by(found, other)
        if events:
            yield other, events


def _meets(found: AnySlice) -> Iterator[tuple[WriteSlice, tuple[str, ...]]]:
    """The commands that cannot overlook the events of this slice; a question has none."""
    if isinstance(found, WriteSlice):
        for other in write_slices(found.context):
            if events := other.disturbed_by(found):
                yield other, events


def _read_by(question: ReadSlice, command: WriteSlice) -> tuple[str, ...]:
    read = {event_type for item in question.boundary for event_type in item.event_types} | set(question.looked_up)
    return tuple(event_type for event_type in command.happens if event_type in read)


def _package(found: AnySlice) -> str:
    return f"slices.{found.context}.{found.name}"
