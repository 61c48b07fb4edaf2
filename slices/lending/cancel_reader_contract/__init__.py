"""End the contract of a reader, who has brought everything back.

GIVEN     a reader who is registered and has no books
WHEN      CancelReaderContract
THEN      ReaderContractCanceled, and ReaderEmailReleased if the reader had an address
REJECTED  ReaderNeverRegistered      nobody ever registered under this id
          ReaderHasOutstandingLoans  the reader has books
          each on record as CancelingReaderContractFailed
NOTHING   the contract has ended already
"""
