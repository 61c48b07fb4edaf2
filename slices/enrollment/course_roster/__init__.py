"""Who takes this course?

GIVEN     a course that was defined, and students who enrolled and withdrew
WHEN      CourseRoster
THEN      the course with its capacity, and its students by the time they enrolled
NOTHING   no course was ever defined under this id
"""
