"""Whether a whole log could have happened: every event, in order, before the auditors of both contexts."""

import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, cast

from eventstore import SequencedEvent
from slices.codec import decode
from slices.enrollment import invariants as enrollment
from slices.lending import invariants as lending

AUDITED: Final = frozenset(
    event.TYPE for event in (*typing.get_args(lending.Audited), *typing.get_args(enrollment.Audited))
)
"""The types that an auditor looks at."""

_LIBRARY: Final[tuple[type, ...]] = typing.get_args(lending.Audited)
_SCHOOL: Final[tuple[type, ...]] = typing.get_args(enrollment.Audited)


@dataclass(frozen=True, slots=True)
class Objection:
    """Something that the rules forbid.

    Attributes:
        sequence_number: of the event to which it is objected, or of the last one if something is missing after it.
        text: what speaks against it.
    """

    sequence_number: int
    text: str

    def __str__(self) -> str:
        return f"event {self.sequence_number}: {self.text}"


def audit(log: Iterable[SequencedEvent]) -> Iterator[Objection]:
    """Read a log from its first event on, and yield what could not have happened.

    >>> list(audit(store.stream(FilterBuilder().matching_any_event())))
    []

    Failure events change nothing, and meet no objection.

    Raises:
        UnknownEventType, UnreadableEvent: if an event is not of this application.
    """
    library, school = lending.LibraryAuditor(), enrollment.SchoolAuditor()
    last = 0
    for stored in log:
        event = decode(stored)
        objections: Iterator[str] = iter(())
        if isinstance(event, _LIBRARY):
            objections = library.objections(cast("lending.Audited", event))
        elif isinstance(event, _SCHOOL):
            objections = school.objections(cast("enrollment.Audited", event))
        last = stored.sequence_number
        for text in objections:
            yield Objection(last, f"{stored.event_type}, but {text}")
    for text in library.at_the_end():
        yield Objection(last, f"the log ends, but {text}")
