"""What people pick from when a form wants an id: names, which come from other slices than the form's own."""

from collections.abc import Callable, Mapping

from slices.enrollment.course_catalogue.query import CourseCatalogueHandler
from slices.enrollment.registered_students.query import RegisteredStudentsHandler
from slices.lending.books_in_circulation.query import BooksInCirculationHandler
from slices.lending.registered_readers.query import RegisteredReadersHandler
from slices.questions import Questions


def choices(questions: Questions, key: str) -> Mapping[str, str]:
    """Names by id, in the order of the names; nothing for a key that has none."""
    names_of = _NAMES.get(key)
    named = names_of(questions) if names_of else {}
    return dict(sorted(named.items(), key=lambda entry: entry[1].casefold()))


def _books(questions: Questions) -> dict[str, str]:
    copies = BooksInCirculationHandler(questions).handle().view
    now = {copy.book_id: "free" if copy.is_free else "lent" if copy.is_lent else "held" for copy in copies}
    return {copy.book_id: f"{copy.title} …{copy.book_id[-6:]}, {now[copy.book_id]}" for copy in copies}


def _readers(questions: Questions) -> dict[str, str]:
    return {reader.reader_id: reader.name for reader in RegisteredReadersHandler(questions).handle().view}


def _courses(questions: Questions) -> dict[str, str]:
    courses = CourseCatalogueHandler(questions).handle().view
    return {course.course_id: f"{course.title}, {course.seats_left} seats left" for course in courses}


def _students(questions: Questions) -> dict[str, str]:
    return {student.student_id: student.name for student in RegisteredStudentsHandler(questions).handle().view}


_NAMES: Mapping[str, Callable[[Questions], dict[str, str]]] = {
    "BookID": _books,
    "ReaderID": _readers,
    "CourseID": _courses,
    "StudentID": _students,
}
