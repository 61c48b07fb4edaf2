"""Which copies are out, who has them, and since when?

GIVEN     copies that were added, lent and returned, and readers who registered
WHEN      BooksLentOut
THEN      every copy that a reader has, with its title and the reader's name, by the time it was lent

Removals and canceled contracts are not in the boundary: a copy that is out cannot be removed, nor can the contract of
its reader end, and if it were so, the reader would still have the copy.
"""
