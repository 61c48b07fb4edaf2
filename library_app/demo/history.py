"""Six weeks of a library and a school, carried out by the very handlers that the app uses.

`plan` decides beforehand who does what and when, from a seed, without a store; each step is then one command. So the
history obeys the rules, holds the refusals it is meant to hold, and is the same every time.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from library_app.demo import contracts, reservations
from library_app.demo.people import COURSES, READERS, STUDENTS
from library_app.demo.steps import Expected, Step, new_id, opening_time
from library_app.demo.titles import TITLES, Title
from slices.enrollment.change_course_capacity.command import ChangeCourseCapacity
from slices.enrollment.change_course_capacity.handler import ChangeCourseCapacityHandler
from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.define_course.handler import DefineCourseHandler
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.enroll_student.handler import EnrollStudentHandler
from slices.enrollment.register_student.command import RegisterStudent
from slices.enrollment.register_student.handler import RegisterStudentHandler
from slices.enrollment.withdraw_student.command import WithdrawStudent
from slices.enrollment.withdraw_student.handler import WithdrawStudentHandler
from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.add_book_copy_to_circulation.handler import AddBookCopyToCirculationHandler
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.lending.register_reader.command import RegisterReader
from slices.lending.register_reader.handler import RegisterReaderHandler
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.lending.remove_book_copy_from_circulation.handler import RemoveBookCopyFromCirculationHandler
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
from slices.lending.return_book_from_reader.handler import ReturnBookFromReaderHandler

DAYS: Final = 42
_COPIES: Final = 95
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MOST_AT_HOME: Final = 5
_CONSCIENCE: Final = 0.4
"""How often a visitor comes because a book is due."""
_ENROLLMENTS_PER_COURSE: Final = (9, 9, 12, 7, 10, 7, 6, 11, 15)
_TOO_MUCH_FOR_SOMEBODY: Final = ("Proofs for the Curious", "A History of Libraries")
_LARGER_ROOMS: Final = {"Drawing What You Mean": 12}
"""Courses that are moved, and how many seats they have there."""


def plan(now: datetime, keyed_hash: Callable[[str], str], *, seed: int = 20) -> tuple[Step, ...]:
    """Decide what happens in the six weeks before `now`, in chronological order.

    Args:
        now: the history ends a few minutes before.
        keyed_hash: of an address, with the key of the app that is going to serve this history.
        seed: another number gives another history of the same kind.
    """
    chance = random.Random(seed)  # noqa: S311 - a plausible past, not a secret
    steps = [*_library(now, chance), *_school(now, chance)]
    steps.extend(contracts.plan(steps, now - timedelta(days=DAYS), chance, keyed_hash))
    steps.extend(reservations.plan(steps, now))
    return tuple(sorted(steps, key=lambda step: step.command.occurred_at))


@dataclass(slots=True)
class _Library:
    """Who has what, while the plan is made."""

    chance: random.Random
    steps: list[Step] = field(default_factory=list[Step])
    isbns: dict[str, str] = field(default_factory=dict[str, str])
    free: list[str] = field(default_factory=list[str])
    lent: dict[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    readers: list[str] = field(default_factory=list[str])
    latest: datetime = _LONG_AGO

    def add(self, title: Title, at: datetime) -> None:
        book_id = new_id(at, self.chance)
        command = AddBookCopyToCirculation(
            book_id=book_id,
            isbn=title.isbn,
            title=title.title,
            authors=title.authors,
            edition=title.edition,
            publisher=title.publisher,
            publication_year=title.publication_year,
            occurred_at=at,
        )
        self.steps.append(Step(command, AddBookCopyToCirculationHandler, "written"))
        self.isbns[book_id] = title.isbn
        self.free.append(book_id)

    def take_out(self, at: datetime) -> None:
        """A copy is worn out. The library keeps another one of its title."""
        at = self._one_at_a_time(at)
        copies_of = Counter(self.isbns.values())
        worn_out = self.chance.choice([book for book in self.free if copies_of[self.isbns[book]] > 1])
        self.free.remove(worn_out)
        del self.isbns[worn_out]
        command = RemoveBookCopyFromCirculation(book_id=worn_out, occurred_at=at)
        self.steps.append(Step(command, RemoveBookCopyFromCirculationHandler, "written"))

    def register(self, name: str, at: datetime) -> None:
        reader_id = new_id(at, self.chance)
        command = RegisterReader(reader_id=reader_id, name=name, occurred_at=at)
        self.steps.append(Step(command, RegisterReaderHandler, "written"))
        self.readers.append(reader_id)

    def visit(self, at: datetime) -> None:
        """Somebody comes in: brings back what was read, or takes something home."""
        reader_id = self.chance.choice(self.readers)
        due = sorted({who for who, until in self.lent.values() if until <= at})
        if due and self.chance.random() < _CONSCIENCE:
            reader_id = self.chance.choice(due)
        read = [book for book, (who, until) in self.lent.items() if who == reader_id and until <= at]
        if read:
            for book_id in read[:3]:
                self._bring_back(book_id, reader_id, self._one_at_a_time(at))
            return
        has = sum(who == reader_id for who, _ in self.lent.values())
        for taken in range(self.chance.choice((1, 1, 2, 3))):
            if self.free and has + taken < _MOST_AT_HOME:
                self._take_home(reader_id, self._one_at_a_time(at))

    def want_what_is_lent(self, at: datetime) -> None:
        """Somebody asks for a copy that another reader has."""
        at = self._one_at_a_time(at)
        book_id, (who, _) = self.chance.choice(sorted(self.lent.items()))
        other = self.chance.choice([reader for reader in self.readers if reader != who])
        command = LendBookToReader(book_id=book_id, reader_id=other, occurred_at=at)
        self.steps.append(Step(command, LendBookToReaderHandler, "rejected"))

    def bring_back_for_a_friend(self, at: datetime) -> None:
        """Somebody brings a copy that another reader has, and that this one never had."""
        at = self._one_at_a_time(at)
        book_id, (who, _) = self.chance.choice(sorted(self.lent.items()))
        lendings = [step.command for step in self.steps if isinstance(step.command, LendBookToReader)]
        had_it = {who, *(lending.reader_id for lending in lendings if lending.book_id == book_id)}
        friend = self.chance.choice([reader for reader in self.readers if reader not in had_it])
        command = ReturnBookFromReader(book_id=book_id, reader_id=friend, occurred_at=at)
        self.steps.append(Step(command, ReturnBookFromReaderHandler, "rejected"))

    def _one_at_a_time(self, at: datetime) -> datetime:
        """There is one desk: who comes while another is served waits."""
        self.latest = max(at, self.latest + timedelta(seconds=self.chance.randint(15, 40)))
        return self.latest

    def _take_home(self, reader_id: str, at: datetime) -> None:
        book_id = self.free.pop(self.chance.randrange(len(self.free)))
        self.lent[book_id] = (reader_id, at + timedelta(days=self.chance.uniform(2, 13)))
        command = LendBookToReader(book_id=book_id, reader_id=reader_id, occurred_at=at)
        self.steps.append(Step(command, LendBookToReaderHandler, "written"))

    def _bring_back(self, book_id: str, reader_id: str, at: datetime) -> None:
        del self.lent[book_id]
        self.free.append(book_id)
        command = ReturnBookFromReader(book_id=book_id, reader_id=reader_id, occurred_at=at)
        self.steps.append(Step(command, ReturnBookFromReaderHandler, "written"))


def _library(now: datetime, chance: random.Random) -> list[Step]:
    library = _Library(chance)
    start = now - timedelta(days=DAYS)
    second_copies = chance.sample(TITLES, k=min(_COPIES - len(TITLES), len(TITLES)))
    deliveries = [*TITLES, *second_copies]
    todo: list[tuple[datetime, Callable[[datetime], None]]] = []
    for number, title in enumerate(deliveries):
        # The shelf is filled in the first three days, the second copies follow week by week.
        day = number * 3 / len(TITLES) if number < len(TITLES) else 7 + (number - len(TITLES)) * 30 / len(second_copies)
        todo.append((opening_time(start, int(day), chance), partial(library.add, title)))
    for number, name in enumerate(chance.sample(READERS, k=len(READERS))):
        day = 1 + number // 3 if number < 15 else 6 + (number - 15) * 3
        todo.append((opening_time(start, day, chance), partial(library.register, name)))
    for day in range(4, DAYS):
        todo.extend((opening_time(start, day, chance), library.visit) for _ in range(chance.randint(7, 11)))
    todo.extend((opening_time(start, day, chance), library.want_what_is_lent) for day in (9, 15, 22, 30, 37))
    todo.append((opening_time(start, 12, chance), library.bring_back_for_a_friend))
    todo.extend((opening_time(start, day, chance), library.take_out) for day in (25, 35))
    latest = now - timedelta(minutes=70)
    todo = [(at, action) for at, action in todo if at < latest]
    todo.extend((now - timedelta(minutes=minutes), library.visit) for minutes in (58, 44, 31, 19, 9))
    for at, action in sorted(todo, key=lambda entry: entry[0]):
        action(at)
    return library.steps


def _school(now: datetime, chance: random.Random) -> list[Step]:
    steps: list[Step] = []
    start = now - timedelta(days=DAYS)
    courses: list[str] = []
    for title, capacity in COURSES:
        at = opening_time(start, chance.randint(2, 4), chance)
        courses.append(new_id(at, chance))
        command = DefineCourse(course_id=courses[-1], title=title, capacity=capacity, occurred_at=at)
        steps.append(Step(command, DefineCourseHandler, "written"))
    students: list[str] = []
    for name in STUDENTS:
        at = opening_time(start, chance.randint(5, 11), chance)
        students.append(new_id(at, chance))
        registration = RegisterStudent(student_id=students[-1], name=name, occurred_at=at)
        steps.append(Step(registration, RegisterStudentHandler, "written"))

    def enroll(student: str, course: str, day: int, expected: Expected = "written") -> None:
        command = EnrollStudent(student_id=student, course_id=course, occurred_at=opening_time(start, day, chance))
        steps.append(Step(command, EnrollStudentHandler, expected))

    def withdraw(student: str, course: str, day: int) -> None:
        command = WithdrawStudent(student_id=student, course_id=course, occurred_at=opening_time(start, day, chance))
        steps.append(Step(command, WithdrawStudentHandler, "written"))

    for course, (title, capacity), wanted in zip(courses, COURSES, _ENROLLMENTS_PER_COURSE, strict=True):
        *seated, first_late, second_late = chance.sample(students, k=wanted + 2)
        for student in seated:
            enroll(student, course, chance.randint(13, 30))
        if wanted == capacity:
            enroll(first_late, course, 33, "rejected")
            enroll(second_late, course, 36, "rejected")
            withdraw(seated[0], course, 38)
            enroll(first_late, course, 40)
        if title in _TOO_MUCH_FOR_SOMEBODY:
            withdraw(seated[0], course, chance.randint(32, 38))
        if title in _LARGER_ROOMS:
            at = opening_time(start, 34, chance)
            move = ChangeCourseCapacity(course_id=course, capacity=_LARGER_ROOMS[title], occurred_at=at)
            steps.append(Step(move, ChangeCourseCapacityHandler, "written"))
    return steps
