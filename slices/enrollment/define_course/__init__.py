"""Define a course.

GIVEN     no course under this id
WHEN      DefineCourse
THEN      CourseDefined
REJECTED  CourseAlreadyDefined  the course exists with another title or another initial capacity
NOTHING   the course was defined with the same title and capacity
"""
