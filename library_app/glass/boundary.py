"""`/glass/boundary`: a filter is put together by hand, and the page shows everything about it."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from eventstore import EventStore, EventStream, Filter
from library_app.event_words import FAMILY_OF
from library_app.glass import filter_form
from library_app.glass.events import ShownEvent
from library_app.glass.explanation import Explains, Explanation
from library_app.glass.filter_code import code_of
from library_app.glass.filter_examples import Query, examples
from library_app.glass.filter_fields import fields_of
from library_app.glass.filter_form import Asked, FilterForm

MOST_COUNTED: Final = 100
"""Beyond the events that are shown so many are counted, and no more: to count all would be to read all."""


@dataclass(frozen=True, slots=True)
class Found:
    """All there is to say about a filter.

    Attributes:
        asked: the question.
        stream: the answer.
        milliseconds: what the query took, seen from here.
        more: matching events that are not shown, up to `MOST_COUNTED` + 1.
        explanation: of the database, if there is one.
    """

    asked: Asked
    stream: EventStream
    milliseconds: float
    more: int
    explanation: Explanation | None

    @property
    def events(self) -> list[ShownEvent]:
        """The events as pages show them."""
        return [ShownEvent.of(event) for event in self.stream]

    @property
    def code(self) -> str:
        """The Python that builds the filter."""
        return code_of(self.asked.filter)

    @property
    def guard(self) -> str:
        """What an append with this filter as its condition is guarded against, in a sentence."""
        return guard_in_words(self.stream)


def guard_in_words(stream: EventStream) -> str:
    """Say what an append after this query would be guarded against.

    >>> guard_in_words(InMemoryEventStore().query(FilterBuilder().matching_any_event()))
    'An append guarded by it is refused if any event at all is committed after position 0.'
    """
    if stream.cut_off:
        return f"This read guards no append: {stream.cut_off}, so newer matching events may be missing."
    asked = stream.filter
    bounds = (asked.occurred_from, asked.occurred_until, asked.sequence_number_higher_than, asked.up_to)
    what = "any event at all" if asked.any_event else "an event that matches"
    whatever = ", even outside the bounds, which never narrow a guard" if bounds != (None,) * 4 else ""
    return f"An append guarded by it is refused if {what} is committed after position {stream.position}{whatever}."


def blueprint(
    store: EventStore, explains: Explains | None = None, timer: Callable[[], float] = perf_counter
) -> Blueprint:
    """The route.

    Args:
        store: whose events are looked up.
        explains: looks up what visitors put together, tells SQL and plan; None for a store that has none.
        timer: seconds, from any beginning.
    """
    query = store.query if explains is None else explains.query
    routes = Blueprint("boundary", __name__, url_prefix="/glass")

    @routes.get("/boundary")
    def playground() -> ResponseReturnValue:
        form = FilterForm.read(request.args)
        page = render_template(
            "glass/boundary.html",
            form=form,
            fields=filter_form,
            families=_types_by_family(),
            examples=[
                (example.name, url_for("boundary.playground", **_arguments(example.filter)))
                for example in examples(query)
            ],
            found=_look_up(query, form.asked, explains, timer) if form.asked else None,
            most_counted=MOST_COUNTED,
        )
        return page, 422 if form.errors else 200

    return routes


def _look_up(query: Query, asked: Asked, explains: Explains | None, timer: Callable[[], float]) -> Found:
    began = timer()
    stream = query(asked.filter, limit=asked.limit, backwards=asked.backwards)
    milliseconds = 1000 * (timer() - began)
    explanation = None
    if explains is not None:
        explanation = explains.explain(asked.filter, limit=asked.limit, backwards=asked.backwards)
    return Found(asked, stream, milliseconds, _not_shown(query, asked, stream), explanation)


def _not_shown(query: Query, asked: Asked, stream: EventStream) -> int:
    """Count what matches beyond the events that were returned, up to the position of that read."""
    if len(stream) < asked.limit:
        return 0
    last = stream.events[-1].sequence_number
    if asked.backwards:
        rest = asked.filter.as_of(last - 1)
    else:
        end = stream.position if asked.filter.up_to is None else min(asked.filter.up_to, stream.position)
        rest = asked.filter.after_sequence_number(last).as_of(end)
    return len(query(rest, limit=MOST_COUNTED + 1))


def _types_by_family() -> dict[str, list[str]]:
    families: dict[str, list[str]] = {}
    for event_type, family in FAMILY_OF.items():
        families.setdefault(family, []).append(event_type)
    return families


def _arguments(asked: Filter) -> dict[str, Any]:
    return {**fields_of(asked), "_anchor": "answer"}
