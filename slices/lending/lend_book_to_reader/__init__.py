"""Lend a copy of a book to a reader.

GIVEN     a reader who is registered, and a copy that is in circulation and lent to nobody
WHEN      LendBookToReader
THEN      BookCopyLentToReader
REJECTED  ReaderNotRegistered   the reader never registered, or ended the contract
          BookNotInCirculation  the copy was never added, or was removed
          BookAlreadyLent       another reader has the copy
          BookHeldForAnother    the copy lies ready for a reader who waited for it
          ReaderAtQuota         the reader has 10 copies
          each on record as LendingBookToReaderFailed
NOTHING   the reader has this copy already
"""
