"""Read models that are kept up to date beside the log: rows of their own in PostgreSQL, a few milliseconds behind.

                     one runner among all processes               every process
events ──► subscription ──► rows and position, in one transaction ──► question, which may wait for a position
                                       ▲
     a rebuild: a generation beside it ┴──► catches up ──► swap

A slice says what its rows are (`model`); nothing here knows a slice. `runner` keeps a model up to date, `rebuilding`
makes it anew, `answering` asks it, `schema` makes its tables.
"""
