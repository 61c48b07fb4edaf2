"""Who may take courses?

GIVEN     students who registered
WHEN      RegisteredStudents
THEN      every student, in the order of registration
"""
