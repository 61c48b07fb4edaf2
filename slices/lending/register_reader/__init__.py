"""Register a reader, with an address or without.

GIVEN     a person who is not registered: a new reader, or one whose contract was canceled
WHEN      RegisterReader
THEN      ReaderRegistered, and ReaderEmailClaimed if there is an address
REJECTED  EmailAlreadyClaimed  another reader has the address
          on record as ClaimingReaderEmailFailed
NOTHING   the reader is registered already
"""
