"""Which copies have these words in title, author or ISBN?

GIVEN     copies that were added, removed, lent, returned and held
WHEN      BookSearch
THEN      the copies in circulation that fit, by title: every word of the question is the beginning of a word of title
          or authors, or of the ISBN; capitals, accents and the hyphens of an ISBN do not matter

The rows live in PostgreSQL, ready to be searched, a few milliseconds behind the log (`live.py`); without PostgreSQL
the same answer is folded from the events (`query.py`). Both are made by the functions of `project.py`.
"""
