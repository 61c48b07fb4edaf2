"""Which copies does the library offer, and which of them are on the shelf?

GIVEN     copies that were added, removed, lent and returned
WHEN      BooksInCirculation
THEN      every copy in circulation with its bibliographic data and whether it is lent, in the order of being added
"""
