"""Take a copy of a book back from a reader.

GIVEN     a reader who has the copy
WHEN      ReturnBookFromReader
THEN      BookCopyReturnedByReader
          and BookHeldForReader for the first on the waiting list, if anybody waits for the copy
REJECTED  ReaderNeverRegistered  nobody ever registered under this id
          BookNeverAdded         no copy was ever added under this id
          BookNotLentToReader    the reader never had this copy
          each on record as ReturningBookFromReaderFailed
NOTHING   the reader has brought the copy back already

A copy that was removed and a reader whose contract ended can still meet here: the library wants its book back. So
removals and canceled contracts are not in the boundary; they cannot change the answer and must not cause conflicts.
"""
