"""Whether a log could have come about: every event is what its command leads to, given the events before it."""

from collections.abc import Iterable

from eventstore import InMemoryEventStore
from slices.command_loop import CommandLoop
from slices.decision import Append
from slices.domain_event import DomainEvent
from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.define_course.handler import DefineCourseHandler
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.enroll_student.handler import EnrollStudentHandler
from slices.enrollment.events import CourseDefined, StudentEnrolledToCourse, StudentRegistered
from slices.enrollment.register_student.command import RegisterStudent
from slices.enrollment.register_student.handler import RegisterStudentHandler
from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.add_book_copy_to_circulation.handler import AddBookCopyToCirculationHandler
from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderRegistered,
)
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.lending.register_reader.command import RegisterReader
from slices.lending.register_reader.handler import RegisterReaderHandler
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
from slices.lending.return_book_from_reader.handler import ReturnBookFromReaderHandler
from slices.origin import Origin
from slices.outcome import Outcome


def replay(events: Iterable[DomainEvent]) -> None:
    """Carry out the command behind each event, on an empty store.

    Raises:
        AssertionError: the rules decide otherwise than the log says.
    """
    loop = CommandLoop(InMemoryEventStore())
    for event in events:
        match event:
            case CourseDefined() | StudentRegistered() | StudentEnrolledToCourse():
                outcome = _carry_out_in_school(loop, event)
            case _:
                outcome = _carry_out(loop, event)
        assert outcome.decision == Append(event)


def _carry_out_in_school(
    loop: CommandLoop, event: CourseDefined | StudentRegistered | StudentEnrolledToCourse
) -> Outcome:
    origin = Origin.new()
    match event:
        case CourseDefined():
            define = DefineCourse(event.course_id, event.title, event.capacity, event.occurred_at)
            return DefineCourseHandler(loop).handle(define, origin)
        case StudentRegistered():
            register = RegisterStudent(event.student_id, event.name, event.occurred_at)
            return RegisterStudentHandler(loop).handle(register, origin)
        case StudentEnrolledToCourse():
            enroll = EnrollStudent(event.student_id, event.course_id, event.occurred_at)
            return EnrollStudentHandler(loop).handle(enroll, origin)


def _carry_out(loop: CommandLoop, event: DomainEvent) -> Outcome:
    origin = Origin.new()
    match event:
        case BookCopyAddedToCirculation():
            add = AddBookCopyToCirculation(
                event.book_id,
                event.isbn,
                event.title,
                event.authors,
                event.edition,
                event.publisher,
                event.publication_year,
                event.occurred_at,
            )
            return AddBookCopyToCirculationHandler(loop).handle(add, origin)
        case ReaderRegistered():
            register = RegisterReader(event.reader_id, event.name, event.occurred_at)
            return RegisterReaderHandler(loop).handle(register, origin)
        case BookCopyLentToReader():
            lend = LendBookToReader(event.book_id, event.reader_id, event.occurred_at)
            return LendBookToReaderHandler(loop).handle(lend, origin)
        case BookCopyReturnedByReader():
            give_back = ReturnBookFromReader(event.book_id, event.reader_id, event.occurred_at)
            return ReturnBookFromReaderHandler(loop).handle(give_back, origin)
        case _:
            raise AssertionError(f"a primed store does not hold {event}")
