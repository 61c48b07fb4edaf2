"""Reserve a copy of a book for a reader: who reserves first is served first.

GIVEN     a reader who is registered, and a copy in circulation that another reader has, or that is held for another
WHEN      ReserveBook
THEN      BookReserved
REJECTED  ReaderNotRegistered   the reader never registered, or has ended the contract
          BookNotInCirculation  the copy was never added, or has been removed
          BookIsAvailable       nobody has the copy, and it is held for nobody
          BookLentToThisReader  the reader has the copy
          TooManyReservations   the reader waits for three copies already
          each on record as ReservingBookFailed
NOTHING   the reader waits for this copy already
"""
