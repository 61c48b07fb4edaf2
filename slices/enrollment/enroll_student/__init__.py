"""Enroll a student in a course.

GIVEN     a course with a free seat, and a registered student who takes fewer than 10 courses
WHEN      EnrollStudent
THEN      StudentEnrolledToCourse
REJECTED  CourseNotDefined      there is no such course
          StudentNotRegistered  there is no such student
          CourseFull            every seat is taken
          StudentAtCourseLimit  the student takes 10 courses
          each on record as EnrollingStudentFailed
NOTHING   the student takes the course already
"""
