"""The school: courses, students, and who takes which course."""
