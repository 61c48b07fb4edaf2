"""Which lendings are over: what was lent to whom, and when did it come back?

GIVEN     copies that were lent and returned
WHEN      FinishedLendings, newest or oldest first, so many
THEN      the lendings that ended last (or first), with both times, and how many there are at all;
          a copy that was lent to the same reader twice and came back twice makes two

What this question has to know grows with the log, for good: every lending that ever ended stays in its state, with
about 250 bytes. A thousand of them are nothing. Of a hundred thousand, the state has 25 MB, and an answer from it takes
about a second (from all events, six). A library that lends more than that needs rows in a table, kept up to date by a
subscription. It would not help to keep only the newest hundred: whoever asks chooses the order and the number.
"""
