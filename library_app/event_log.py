"""Reading the log page by page: shared by `/glass/events` and `/api/events`.

Paging is by position and never loads more than a page: "older" continues below the lowest number shown, "newer" above
the highest, so that a page stays the same page while new events arrive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from eventstore import EventStore, Filter, FilterBuilder, P, SequencedEvent
from eventstore.filters import HIGHEST_POSITION
from library_app.event_words import FAMILY_OF
from slices.domain_event import json_key
from slices.fields import Id

EVENTS_PER_PAGE: Final = 25
MOST_EVENTS_PER_PAGE: Final = 200

_EVERY_EVENT: Final = FilterBuilder().matching_any_event()


@dataclass(frozen=True, slots=True)
class LogQuestion:
    """Which page of which events.

    Attributes:
        event_type: only events of this type; empty for all.
        ids: payload pairs that an event must have, all of them.
        before: only events below this number; None begins at the newest.
        after: only events above this number, the nearest ones.
        limit: at most so many.
    """

    event_type: str = ""
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    before: int | None = None
    after: int | None = None
    limit: int = EVENTS_PER_PAGE

    @property
    def boundary(self) -> Filter:
        """The dynamic event stream asked for, without the page."""
        predicates = [P(key, value) for key, value in self.ids.items()]
        if self.event_type and predicates:
            item = FilterBuilder().matching().any_event_type_of(self.event_type)
            return item.and_all_predicates_of(*_one_or_more(predicates)).finalize()
        if self.event_type:
            return FilterBuilder().matching().any_event_type_of(self.event_type).finalize()
        if predicates:
            return FilterBuilder().matching().all_predicates_of(*_one_or_more(predicates)).finalize()
        return _EVERY_EVENT


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log, newest event first.

    Attributes:
        events: what is on it.
        position: the head of the store when it was read.
        older: continue with `before` this number; None if nothing older matches.
        newer: continue with `after` this number; None if this page begins with the newest.
    """

    events: tuple[SequencedEvent, ...]
    position: int
    older: int | None
    newer: int | None


def read_page(store: EventStore, question: LogQuestion) -> LogPage:
    """Read one page; one event more is asked for, to know whether another page follows."""
    if question.after is not None:
        tail = store.query(question.boundary.after_sequence_number(question.after), limit=question.limit + 1)
        events = tuple(reversed(tail.events[: question.limit]))
        older = events[-1].sequence_number if events else question.after + 1
        more = len(tail) > question.limit
        return LogPage(events, tail.position, older, events[0].sequence_number if more else None)
    boundary = question.boundary if question.before is None else question.boundary.as_of(question.before - 1)
    found = store.query(boundary, limit=question.limit + 1, backwards=True)
    events = found.events[: question.limit]
    last = events[-1].sequence_number if len(found) > question.limit else None
    # Whatever is shown, somebody who came here from above can go back up.
    highest = events[0].sequence_number if events else (question.before or 1) - 1
    return LogPage(events, found.position, last, None if question.before is None else highest)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """An event and the numbers before and after it; the log may have gaps between them."""

    event: SequencedEvent
    previous: int | None
    following: int | None


def find_event(store: EventStore, number: int) -> Neighbours | None:
    """Look one event up by its number."""
    if not 1 <= number < HIGHEST_POSITION:
        return None
    found = store.query(_EVERY_EVENT.as_of(number), limit=2, backwards=True).events
    if not found or found[0].sequence_number != number:
        return None
    following = store.query(_EVERY_EVENT.after_sequence_number(number), limit=1).events
    return Neighbours(
        found[0],
        found[1].sequence_number if len(found) == 2 else None,
        following[0].sequence_number if following else None,
    )


def _position(lowest: int) -> fields.Integer:
    return fields.Integer(
        strict=False,
        validate=validate.Range(lowest, HIGHEST_POSITION, error="A position in the log, please."),
        error_messages={"invalid": "Not a whole number.", "too_large": "Not a whole number."},
    )


class LogQuestionSchema(Schema):
    """The query string of both the page and the API. Empty fields of a form are left out before."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such filter."}  # noqa: RUF012 (marshmallow's own way)

    event_type = fields.String(
        data_key="type",
        validate=validate.OneOf(sorted(FAMILY_OF), error="There is no such event type."),
        metadata={"description": "Only events of this type."},
    )
    book_id = Id(required=False)
    reader_id = Id(required=False)
    student_id = Id(required=False)
    course_id = Id(required=False)
    before = _position(1)
    after = _position(0)
    limit = fields.Integer(
        validate=validate.Range(1, MOST_EVENTS_PER_PAGE, error=f"A number from 1 to {MOST_EVENTS_PER_PAGE}, please."),
        error_messages={"invalid": "Not a whole number.", "too_large": "Not a whole number."},
    )

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Spell ids as in the events. Called by marshmallow for each field."""
        if isinstance(field_obj, Id):
            field_obj.data_key = json_key(field_name)

    @validates_schema
    def _one_direction(self, data: dict[str, Any], **_: Any) -> None:
        if "before" in data and "after" in data:
            raise ValidationError("Give before or after, not both.", "after")


def question_of(loaded: Mapping[str, Any]) -> LogQuestion:
    """Make the question of what the schema has loaded."""
    return LogQuestion(
        event_type=loaded.get("event_type", ""),
        ids={json_key(name): value for name, value in loaded.items() if name.endswith("_id")},
        before=loaded.get("before"),
        after=loaded.get("after"),
        limit=loaded.get("limit", EVENTS_PER_PAGE),
    )


def _one_or_more(predicates: list[P]) -> tuple[P, ...]:
    return tuple(predicates)
