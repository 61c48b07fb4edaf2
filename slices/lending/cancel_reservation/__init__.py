"""Take a reader off the waiting list of a copy.

GIVEN     a reader who waits for the copy
WHEN      CancelReservation
THEN      BookReservationCanceled
          and BookHeldForReader for the next on the list, if the copy was held for this reader
REJECTED  never
NOTHING   the reader does not wait for this copy
"""
