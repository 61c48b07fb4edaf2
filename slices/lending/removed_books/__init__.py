"""Which copies has the library taken out of circulation?

GIVEN     copies that were added, and some that were removed
WHEN      RemovedBooks
THEN      every copy that is no longer offered, with its bibliographic data and the time of its removal, in that order;
          a copy that was added again is not listed
"""
