"""Who races for what: the events from before, and a command for everybody. Every race has new ids."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eventstore import uuid7
from library_app.demo.people import READERS, STUDENTS
from library_app.race import RaceKind
from slices.command_loop import CommandLoop
from slices.domain_event import DomainEvent
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.enroll_student.handler import EnrollStudentHandler
from slices.enrollment.events import CourseDefined, StudentEnrolledToCourse, StudentRegistered
from slices.lending.events import BookCopyAddedToCirculation, ReaderRegistered
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.origin import Origin
from slices.outcome import Outcome

NAMES: Final = (*READERS, *STUDENTS)
STEPPERS: Final = ("Anna", "Ben")
"""Whose steps are taken by hand."""
SEATS: Final = 3
"""Of the course; all but one are taken before the race."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One who races.

    Attributes:
        racer_id, name: who it is.
        carry_out: give the command.
    """

    racer_id: str
    name: str
    carry_out: Callable[[CommandLoop, Origin], Outcome]


@dataclass(frozen=True, slots=True)
class Entries:
    """A race before it begins.

    Attributes:
        prize: the id of what all want; empty if everybody wants something else.
        before: what has happened already.
        racers: everybody.
    """

    prize: str
    before: tuple[DomainEvent, ...]
    racers: tuple[Entry, ...]


def entries(kind: RaceKind, racers: int, now: datetime, names: Sequence[str] = NAMES) -> Entries:
    """Make a race of a kind.

    >>> entries(RaceKind.ONE_COPY, 20, now).racers[0].name
    'Amara Okafor'
    """
    people = [(str(uuid7()), name) for name in names[:racers]]
    match kind:
        case RaceKind.ONE_COPY:
            copy = str(uuid7())
            return Entries(copy, (_added(copy, now), *_readers(people, now)), _lending(people, [copy] * racers, now))
        case RaceKind.NO_CONFLICT:
            copies = [str(uuid7()) for _ in people]
            added = (_added(copy, now) for copy in copies)
            return Entries("", (*added, *_readers(people, now)), _lending(people, copies, now))
        case RaceKind.LAST_SEAT:
            course, seated = str(uuid7()), [str(uuid7()) for _ in range(SEATS - 1)]
            before = (
                CourseDefined(course, "Bookbinding by Hand", SEATS, occurred_at=now),
                *(StudentRegistered(student, "An earlier student", occurred_at=now) for student in seated),
                *(StudentEnrolledToCourse(student, course, occurred_at=now) for student in seated),
                *(StudentRegistered(student, name, occurred_at=now) for student, name in people),
            )
            return Entries(course, before, _enrolling(people, course, now))


def _added(copy: str, now: datetime) -> DomainEvent:
    return BookCopyAddedToCirculation(
        copy, "9781098100131", "The Only Copy", "A. Writer", "First Edition", "The Press", 2021, occurred_at=now
    )


def _readers(people: list[tuple[str, str]], now: datetime) -> list[DomainEvent]:
    return [ReaderRegistered(reader, name, occurred_at=now) for reader, name in people]


def _lending(people: list[tuple[str, str]], copies: list[str], now: datetime) -> tuple[Entry, ...]:
    def entry(reader: str, name: str, copy: str) -> Entry:
        command = LendBookToReader(copy, reader, now)
        return Entry(reader, name, lambda loop, origin: LendBookToReaderHandler(loop).handle(command, origin))

    return tuple(entry(reader, name, copy) for (reader, name), copy in zip(people, copies, strict=True))


def _enrolling(people: list[tuple[str, str]], course: str, now: datetime) -> tuple[Entry, ...]:
    def entry(student: str, name: str) -> Entry:
        command = EnrollStudent(student, course, now)
        return Entry(student, name, lambda loop, origin: EnrollStudentHandler(loop).handle(command, origin))

    return tuple(entry(student, name) for student, name in people)
