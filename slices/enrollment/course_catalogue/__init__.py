"""Which courses does the school offer, and where are seats left?

GIVEN     courses that were defined, changed, taken and given up
WHEN      CourseCatalogue
THEN      every course with its title, capacity and seats left, in the order of being defined
"""
