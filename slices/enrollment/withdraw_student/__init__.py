"""Withdraw a student from a course.

GIVEN     a student who takes the course
WHEN      WithdrawStudent
THEN      StudentWithdrawnFromCourse
REJECTED  StudentNotEnrolled  the student never took this course
NOTHING   the student has given the seat back already
"""
