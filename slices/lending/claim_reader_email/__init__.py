"""Give a reader an address, or another one. No two readers have the same.

GIVEN     a reader who is registered, and an address that nobody has
WHEN      ClaimReaderEmail
THEN      ReaderEmailClaimed, after ReaderEmailReleased for the address that the reader had, if any
REJECTED  ReaderNotRegistered  the reader never registered, or ended the contract
          EmailAlreadyClaimed  another reader has the address
          each on record as ClaimingReaderEmailFailed
NOTHING   the reader has this address already
"""
