"""Filters to begin with, about what is in this log: the boundaries that slices really ask."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from eventstore import EventStream, Filter, FilterBuilder, P
from library_app.event_words import FAMILY_OF
from slices.domain_event import stored_types
from slices.enrollment.enroll_student.decide import RelevantToCourse
from slices.enrollment.events import StudentEnrolledToCourse
from slices.lending.events import BookCopyLentToReader
from slices.lending.lend_book_to_reader import decide as lending
from slices.lending.lend_book_to_reader.command import LendBookToReader

Query = Callable[..., EventStream]
"""`EventStore.query`, or what answers as it does."""


@dataclass(frozen=True, slots=True)
class Example:
    """A filter with a name."""

    name: str
    filter: Filter


def examples(query: Query) -> Iterator[Example]:
    """Filters with ids of the newest events; none about what has not happened yet."""
    for ids, moment in _newest(query, BookCopyLentToReader.TYPE):
        command = LendBookToReader(ids["BookID"], ids["ReaderID"], moment)
        yield Example("The boundary of a lending", lending.boundary(command))
    for ids, _ in _newest(query, StudentEnrolledToCourse.TYPE):
        first, *more = stored_types(RelevantToCourse)
        seats = FilterBuilder().matching().any_event_type_of(first, *more)
        yield Example("The seats of a course", seats.and_any_predicate_of(P("CourseID", ids["CourseID"])).finalize())
    first, *more = (event_type for event_type, family in FAMILY_OF.items() if family == "failure")
    yield Example("All that was refused", FilterBuilder().matching().any_event_type_of(first, *more).finalize())


def _newest(query: Query, event_type: str) -> Iterator[tuple[dict[str, str], datetime]]:
    of_type = FilterBuilder().matching().any_event_type_of(event_type).finalize()
    for event in query(of_type, limit=1, backwards=True):
        yield json.loads(event.payload), event.occurred_at
