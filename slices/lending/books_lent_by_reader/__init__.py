"""Which copies has this reader, and since when? And for which does the reader wait?

GIVEN     a reader who registered, borrowed books and reserved some
WHEN      BooksLentByReader
THEN      the reader, whether registered now; the copies not yet brought back, by the time they were lent;
          and the open reservations, by the time they were made, with the end of the hold if the copy lies ready
NOTHING   nobody ever registered under this id
"""
