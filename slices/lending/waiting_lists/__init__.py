"""Which copies do readers wait for, and which lie ready for whom?

GIVEN     copies that were reserved, held, collected and given up
WHEN      WaitingLists
THEN      every copy that somebody waits for or that is held: the readers with their names, first come, first served,
          and for whom it is held until when;
          held copies come first, by the end of the hold; then the others, by the time since which somebody waits

A hold whose time has passed is still a hold until ExpireHolds ends it. So the answer is the same at any hour; who shows
it compares it with the clock.
"""
