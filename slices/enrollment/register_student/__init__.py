"""Register a student.

GIVEN     nobody under this id
WHEN      RegisterStudent
THEN      StudentRegistered
REJECTED  never
NOTHING   the student is registered already
"""
