"""Which copies has this reader, and since when?

GIVEN     a reader who registered and borrowed books
WHEN      BooksLentByReader
THEN      the reader, whether registered now, and the copies not yet brought back, by the time they were lent
NOTHING   nobody ever registered under this id
"""
