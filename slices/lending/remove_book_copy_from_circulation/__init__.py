"""Take a copy of a book out of circulation.

GIVEN     a copy that is in circulation, and that no reader has
WHEN      RemoveBookCopyFromCirculation
THEN      BookCopyRemovedFromCirculation
REJECTED  BookNeverAdded     no copy was ever added under this id
          BookCurrentlyLent  a reader has the copy
          each on record as RemovingBookFromCirculationFailed
NOTHING   the copy is not in circulation any more
"""
