"""Give a course more or fewer seats.

GIVEN     a course that was defined, and no more students in it than it would have seats
WHEN      ChangeCourseCapacity
THEN      CourseCapacityChanged
REJECTED  CourseNotDefined         there is no such course
          CapacityBelowEnrollment  more students take the course than it would have seats
NOTHING   the course has so many seats already
"""
