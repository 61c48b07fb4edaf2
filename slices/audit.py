"""Whether a whole log could have happened: every event, in order, before the auditors of both contexts."""

import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from eventstore import SequencedEvent
from slices.codec import decode
from slices.domain_event import DomainEvent
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


@dataclass(slots=True)
class Auditor:
    """Looks at a log event by event, for whoever decodes the events anyway. `audit` is for whoever does not."""

    _library: lending.LibraryAuditor = field(default_factory=lending.LibraryAuditor)
    _school: enrollment.SchoolAuditor = field(default_factory=enrollment.SchoolAuditor)
    _last: int = 0

    def objections(self, stored: SequencedEvent, event: DomainEvent) -> Iterator[Objection]:
        """What speaks against this event as the next one. Read it to its end: that is what records the event.

        Args:
            stored: the event as the store has it.
            event: what `decode` makes of it.
        """
        found: Iterator[str] = iter(())
        if isinstance(event, _LIBRARY):
            found = self._library.objections(cast("lending.Audited", event))
        elif isinstance(event, _SCHOOL):
            found = self._school.objections(cast("enrollment.Audited", event))
        self._last = stored.sequence_number
        for text in found:
            yield Objection(self._last, f"{stored.event_type}, but {text}")

    def at_the_end(self) -> Iterator[Objection]:
        """What the log should have gone on with."""
        for text in self._library.at_the_end():
            yield Objection(self._last, f"the log ends, but {text}")


def audit(log: Iterable[SequencedEvent]) -> Iterator[Objection]:
    """Read a log from its first event on, and yield what could not have happened.

    >>> list(audit(store.stream(FilterBuilder().matching_any_event())))
    []

    Failure events change nothing, and meet no objection.

    Raises:
        UnknownEventType, UnreadableEvent: if an event is not of this application.
    """
    auditor = Auditor()
    for stored in log:
        yield from auditor.objections(stored, decode(stored))
    yield from auditor.at_the_end()
