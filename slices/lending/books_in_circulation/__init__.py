"""Which copies does the library offer, and which of them are on the shelf?

GIVEN     copies that were added, removed, lent, returned and held
WHEN      BooksInCirculation
THEN      every copy in circulation with its bibliographic data and whether it is lent or held, in the order
          of being added
"""
