"""Register a reader.

GIVEN     a person who is not registered: a new reader, or one whose contract was canceled
WHEN      RegisterReader
THEN      ReaderRegistered
REJECTED  never
NOTHING   the reader is registered already
"""
