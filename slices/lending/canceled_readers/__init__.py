"""Who has ended the contract with the library?

GIVEN     readers who registered, and some who canceled their contract
WHEN      CanceledReaders
THEN      every reader who has no contract any more, with the time at which it ended, in that order;
          whoever registered again is not listed
"""
