"""Which courses does this student take?

GIVEN     a student who registered, enrolled in courses and withdrew from some
WHEN      StudentSchedule
THEN      the student, and the courses not given up with their titles, by the time of enrolling
NOTHING   nobody ever registered under this id
"""
