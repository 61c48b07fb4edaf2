"""End the hold of a copy that nobody collected, and hold it for the next reader on the list.

GIVEN     a copy that is held for a reader, and a time after the end of the hold
WHEN      ExpireHolds
THEN      BookHoldExpired
          and BookHeldForReader for the next on the list, if anybody waits
REJECTED  never
NOTHING   the copy is not held, or the reader still has time

A hold does not end by itself when its time has come: nothing in this system happens without an event. So until somebody
sends this command (a button on the hold shelf, or a scheduler), the copy stays reserved for whose turn it is.
"""
