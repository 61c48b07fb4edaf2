"""Who may borrow books?

GIVEN     readers who registered, and some who canceled their contract
WHEN      RegisteredReaders
THEN      every reader who is registered now, in the order of registration
"""
