"""Add a copy of a book to circulation.

GIVEN     a copy that is not in circulation: it is new, or it was removed
WHEN      AddBookCopyToCirculation
THEN      BookCopyAddedToCirculation
REJECTED  never
NOTHING   the copy is in circulation already
"""
