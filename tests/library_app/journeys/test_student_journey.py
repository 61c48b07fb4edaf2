"""A student from registration to a free seat, over HTTP, on PostgreSQL, with everything in between."""

import uuid

from tests.library_app.journeys.visitor import Visitor


def test_a_student_finds_a_seat(address: str) -> None:
    office, program = Visitor(address), Visitor(address)
    eve, ada, latin = (str(uuid.uuid4()) for _ in range(3))

    # A course with one seat, and two who want it.
    status, page = office.submit("/school/courses/define", CourseID=latin, Title="Latin & Greek", Capacity="1")
    assert status == 200
    assert "Latin &amp; Greek" in page
    status, answer = program.command("enrollment/define-course", CourseID=latin, Title="Latin", Capacity=1)
    assert (status, answer["reason"], answer["Events"]) == (409, "CourseAlreadyDefined", [])
    assert program.command("enrollment/register-student", StudentID=eve, Name="Eve")[0] == 201
    status, answer = program.command("enrollment/enroll-student", StudentID=ada, CourseID=latin)
    assert (status, answer["reason"]) == (409, "StudentNotRegistered")
    assert office.submit("/school/students/register", StudentID=ada, Name="Ada")[0] == 200

    # Eve has the seat, Ada is refused and on record, and Eve's second try does nothing.
    status, page = office.submit("/school/enroll", StudentID=eve, CourseID=latin.upper())
    assert status == 200
    assert program.command("enrollment/enroll-student", StudentID=eve, CourseID=latin)[1]["Outcome"] == "nothing"
    status, page = office.submit("/school/enroll", StudentID=ada, CourseID=latin)
    assert status == 409
    assert "Every seat of the course is taken. It is on record as event" in page

    # A larger room: Ada gets in. It cannot become smaller than the class.
    status, page = office.submit("/school/courses/capacity", CourseID=latin, Capacity="2")
    assert status == 200
    assert program.command("enrollment/enroll-student", StudentID=ada, CourseID=latin)[0] == 201
    status, answer = program.command("enrollment/change-course-capacity", CourseID=latin, Capacity=1)
    assert (status, answer["reason"], answer["Events"]) == (409, "CapacityBelowEnrollment", [])
    roster = program.ask(f"enrollment/course-roster/{latin}")
    assert [student["StudentID"] for student in roster["Students"]] == [eve, ada]
    assert (roster["Capacity"], roster["SeatsLeft"]) == (2, 0)

    # Eve gives her seat back; now it can. Her schedule is empty, Ada's is not.
    status, page = office.submit("/school/withdraw", StudentID=eve, CourseID=latin)
    assert status == 200
    assert program.command("enrollment/withdraw-student", StudentID=eve, CourseID=latin)[1]["Outcome"] == "nothing"
    assert program.command("enrollment/change-course-capacity", CourseID=latin, Capacity=1)[0] == 201
    assert program.ask(f"enrollment/student-schedule/{eve}")["Courses"] == []
    [course] = program.ask(f"enrollment/student-schedule/{ada}")["Courses"]
    assert (course["CourseID"], course["Title"]) == (latin, "Latin & Greek")
    assert "Latin &amp; Greek" in office.see(f"/school/students/{ada}")
    [listed] = [
        course for course in program.ask("enrollment/course-catalogue")["Courses"] if course["CourseID"] == latin
    ]
    assert (listed["Capacity"], listed["SeatsLeft"]) == (1, 0)

    # The log tells the whole story.
    story = [event["EventType"] for event in program.ask(f"events?CourseID={latin}&limit=50")["Events"]]
    assert story[::-1] == [
        "CourseDefined",
        "EnrollingStudentFailed",
        "StudentEnrolledToCourse",
        "EnrollingStudentFailed",
        "CourseCapacityChanged",
        "StudentEnrolledToCourse",
        "StudentWithdrawnFromCourse",
        "CourseCapacityChanged",
    ]
