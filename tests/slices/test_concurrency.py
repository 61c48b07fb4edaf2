"""Many at once, by threads that have all read the same before the first of them appends."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from eventstore import EventStream, Filter, FilterBuilder
from slices.codec import decode
from slices.command_loop import CommandLoop, Patience
from slices.decision import Append, Reject
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.enroll_student.handler import EnrollStudentHandler
from slices.enrollment.events import CourseDefined, StudentEnrolledToCourse, StudentRegistered
from slices.enrollment.rejections import CourseFull
from slices.lending.events import BookCopyLentToReader, ReaderRegistered
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.lending.rejections import BookAlreadyLent
from slices.origin import Origin
from slices.outcome import Outcome
from slices.testing import stored
from tests.slices.lending.world import ADDED, BOOK, NOON, book_id
from tests.wrapped_store import WrappedStore

PATIENT = Patience(attempts=200, longest_pause=0.02)
EVERYTHING = FilterBuilder().matching_any_event()


@dataclass
class StartingLine(WrappedStore):
    """A store whose first queries wait for each other: every racer decides on the same state."""

    racers: int
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    barrier: threading.Barrier = field(init=False)

    def __post_init__(self) -> None:
        self.barrier = threading.Barrier(self.racers, timeout=30)

    def query(self, filter: Filter, **options: Any) -> EventStream:
        stream = super().query(filter, **options)
        with self.lock:
            self.asked += 1
            is_first = self.asked <= self.racers
        if is_first:
            self.barrier.wait()
        return stream


def race(racers: list[str], want: Callable[[str], Outcome]) -> list[Outcome]:
    with ThreadPoolExecutor(len(racers)) as pool:
        return list(pool.map(want, racers))


def test_of_twenty_readers_who_want_one_copy_one_gets_it_and_nineteen_are_told_who() -> None:
    readers = [book_id(number) for number in range(20)]
    store = stored(ADDED, *(ReaderRegistered(reader, "A reader", occurred_at=NOON) for reader in readers))
    handler = LendBookToReaderHandler(CommandLoop(StartingLine(store, len(readers)), PATIENT))
    outcomes = race(readers, lambda reader: handler.handle(LendBookToReader(BOOK, reader, NOON), Origin.new()))

    [lent] = [event for event in map(decode, store.query(EVERYTHING)) if isinstance(event, BookCopyLentToReader)]
    refusals = [outcome.decision.reason for outcome in outcomes if isinstance(outcome.decision, Reject)]
    assert refusals == [BookAlreadyLent(BOOK, lent.reader_id)] * 19
    assert sum(isinstance(outcome.decision, Append) for outcome in outcomes) == 1
    assert sum(len(outcome.report.conflicts) for outcome in outcomes) == 19


def test_a_course_never_has_more_students_than_seats() -> None:
    course, students = book_id(0), [book_id(number) for number in range(1, 17)]
    store = stored(
        CourseDefined(course, "Latin", 5, occurred_at=NOON),
        *(StudentRegistered(student, "A student", occurred_at=NOON) for student in students),
    )
    handler = EnrollStudentHandler(CommandLoop(StartingLine(store, len(students)), PATIENT))
    outcomes = race(students, lambda student: handler.handle(EnrollStudent(student, course, NOON), Origin.new()))

    seated = [
        event.student_id for event in map(decode, store.query(EVERYTHING)) if isinstance(event, StudentEnrolledToCourse)
    ]
    assert len(seated) == len(set(seated)) == 5
    refusals = [outcome.decision.reason for outcome in outcomes if isinstance(outcome.decision, Reject)]
    assert refusals == [CourseFull(course)] * 11
