"""The composition root of the slices: every one by name, with what it depends on."""

from typing import Any, Final

from library_app.past import now_or_then
from slices.blueprints import SliceBlueprint
from slices.command_loop import CommandLoop
from slices.enrollment.change_course_capacity import routes as change_course_capacity
from slices.enrollment.change_course_capacity.handler import ChangeCourseCapacityHandler
from slices.enrollment.course_catalogue import routes as course_catalogue
from slices.enrollment.course_catalogue.query import CourseCatalogueHandler
from slices.enrollment.course_roster import routes as course_roster
from slices.enrollment.course_roster.query import CourseRosterHandler
from slices.enrollment.define_course import routes as define_course
from slices.enrollment.define_course.handler import DefineCourseHandler
from slices.enrollment.enroll_student import routes as enroll_student
from slices.enrollment.enroll_student.handler import EnrollStudentHandler
from slices.enrollment.register_student import routes as register_student
from slices.enrollment.register_student.handler import RegisterStudentHandler
from slices.enrollment.registered_students import routes as registered_students
from slices.enrollment.registered_students.query import RegisteredStudentsHandler
from slices.enrollment.student_schedule import routes as student_schedule
from slices.enrollment.student_schedule.query import StudentScheduleHandler
from slices.enrollment.withdraw_student import routes as withdraw_student
from slices.enrollment.withdraw_student.handler import WithdrawStudentHandler
from slices.lending.add_book_copy_to_circulation import routes as add_book_copy_to_circulation
from slices.lending.add_book_copy_to_circulation.handler import AddBookCopyToCirculationHandler
from slices.lending.book_search import routes as book_search
from slices.lending.book_search.live import LiveBookSearchHandler
from slices.lending.book_search.live import model as book_search_model
from slices.lending.book_search.query import BookSearchHandler
from slices.lending.books_in_circulation import routes as books_in_circulation
from slices.lending.books_in_circulation.query import BooksInCirculationHandler
from slices.lending.books_lent_by_reader import routes as books_lent_by_reader
from slices.lending.books_lent_by_reader.query import BooksLentByReaderHandler
from slices.lending.books_lent_out import routes as books_lent_out
from slices.lending.books_lent_out.query import BooksLentOutHandler
from slices.lending.cancel_reader_contract import routes as cancel_reader_contract
from slices.lending.cancel_reader_contract.handler import CancelReaderContractHandler
from slices.lending.cancel_reservation import routes as cancel_reservation
from slices.lending.cancel_reservation.handler import CancelReservationHandler
from slices.lending.canceled_readers import routes as canceled_readers
from slices.lending.canceled_readers.query import CanceledReadersHandler
from slices.lending.claim_reader_email import routes as claim_reader_email
from slices.lending.claim_reader_email.handler import ClaimReaderEmailHandler
from slices.lending.expire_holds import routes as expire_holds
from slices.lending.expire_holds.handler import ExpireHoldsHandler
from slices.lending.finished_lendings import routes as finished_lendings
from slices.lending.finished_lendings.query import FinishedLendingsHandler
from slices.lending.lend_book_to_reader import routes as lend_book_to_reader
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.lending.register_reader import routes as register_reader
from slices.lending.register_reader.handler import RegisterReaderHandler
from slices.lending.registered_readers import routes as registered_readers
from slices.lending.registered_readers.query import RegisteredReadersHandler
from slices.lending.remove_book_copy_from_circulation import routes as remove_book_copy_from_circulation
from slices.lending.remove_book_copy_from_circulation.handler import RemoveBookCopyFromCirculationHandler
from slices.lending.removed_books import routes as removed_books
from slices.lending.removed_books.query import RemovedBooksHandler
from slices.lending.reserve_book import routes as reserve_book
from slices.lending.reserve_book.handler import ReserveBookHandler
from slices.lending.return_book_from_reader import routes as return_book_from_reader
from slices.lending.return_book_from_reader.handler import ReturnBookFromReaderHandler
from slices.lending.waiting_lists import routes as waiting_lists
from slices.lending.waiting_lists.query import WaitingListsHandler
from slices.live.answering import LiveAnswers
from slices.live.model import LiveModel
from slices.questions import Questions
from slices.web import CommandEdge

LIVE_MODELS: Final[tuple[LiveModel[Any], ...]] = (book_search_model,)
"""The read models that are kept up to date beside the log."""


def slices_of(
    loop: CommandLoop, questions: Questions, edge: CommandEdge, live: LiveAnswers | None = None
) -> tuple[SliceBlueprint, ...]:
    """The blueprints of all slices: commands, then questions.

    Args:
        loop: carries commands out.
        questions: how questions are answered.
        edge: the application around the commands.
        live: where live models are asked; without it they are questions like the others.
    """
    return (
        add_book_copy_to_circulation.blueprint(AddBookCopyToCirculationHandler(loop).handle, edge),
        remove_book_copy_from_circulation.blueprint(RemoveBookCopyFromCirculationHandler(loop).handle, edge),
        register_reader.blueprint(RegisterReaderHandler(loop).handle, edge),
        claim_reader_email.blueprint(ClaimReaderEmailHandler(loop).handle, edge),
        cancel_reader_contract.blueprint(CancelReaderContractHandler(loop).handle, edge),
        lend_book_to_reader.blueprint(LendBookToReaderHandler(loop).handle, edge),
        return_book_from_reader.blueprint(ReturnBookFromReaderHandler(loop).handle, edge),
        reserve_book.blueprint(ReserveBookHandler(loop).handle, edge),
        cancel_reservation.blueprint(CancelReservationHandler(loop).handle, edge),
        expire_holds.blueprint(ExpireHoldsHandler(loop).handle, edge),
        define_course.blueprint(DefineCourseHandler(loop).handle, edge),
        change_course_capacity.blueprint(ChangeCourseCapacityHandler(loop).handle, edge),
        register_student.blueprint(RegisterStudentHandler(loop).handle, edge),
        enroll_student.blueprint(EnrollStudentHandler(loop).handle, edge),
        withdraw_student.blueprint(WithdrawStudentHandler(loop).handle, edge),
        books_in_circulation.blueprint(BooksInCirculationHandler(questions).handle),
        book_search.blueprint(_search(questions, live)),
        books_lent_out.blueprint(BooksLentOutHandler(questions).handle),
        waiting_lists.blueprint(WaitingListsHandler(questions).handle, edge.now),
        finished_lendings.blueprint(FinishedLendingsHandler(questions).handle),
        removed_books.blueprint(RemovedBooksHandler(questions).handle),
        registered_readers.blueprint(RegisteredReadersHandler(questions).handle),
        canceled_readers.blueprint(CanceledReadersHandler(questions).handle),
        books_lent_by_reader.blueprint(BooksLentByReaderHandler(questions).handle),
        course_catalogue.blueprint(CourseCatalogueHandler(questions).handle),
        course_roster.blueprint(CourseRosterHandler(questions).handle),
        registered_students.blueprint(RegisteredStudentsHandler(questions).handle),
        student_schedule.blueprint(StudentScheduleHandler(questions).handle),
    )


def _search(questions: Questions, live: LiveAnswers | None) -> book_search.Handle:
    """Rows know nothing but the present; the past is folded."""
    folded = BookSearchHandler(questions).handle
    return folded if live is None else now_or_then(LiveBookSearchHandler(live).handle, folded)
