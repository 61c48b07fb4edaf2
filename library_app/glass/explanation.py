"""How a database goes about a query: the port that pages know. `explanation_postgres.py` is behind it."""

from dataclasses import dataclass
from typing import Protocol

from eventstore import Filter


@dataclass(frozen=True, slots=True)
class Explanation:
    """A query as the database sees it.

    Attributes:
        condition: the filter alone, as a condition on the rows of the events table.
        statement: the whole statement, with its values in place.
        plan: what the planner makes of this statement; it was not run for that.
    """

    condition: str
    statement: str
    plan: str


class Explains(Protocol):
    """Explains queries of a store that keeps its events in a database."""

    def explain(self, filter: Filter, *, limit: int, backwards: bool) -> Explanation:
        """Explain what `store.query` does with the same arguments.

        Raises:
            StoreUnavailable: the database does not answer, or not in time.
        """
        ...
