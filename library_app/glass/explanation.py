"""How a database goes about a query: the port that the playground knows. `explanation_postgres.py` is behind it."""

from dataclasses import dataclass
from typing import Protocol

from eventstore import EventStream, Filter
from library_app.problems import RequestRefused


@dataclass(frozen=True, slots=True)
class Explanation:
    """A query as the database sees it.

    Attributes:
        condition: the filter alone, as a condition on the rows of the events table.
        statement: the whole statement, with its values in place.
        plan: what the planner makes of it for any values, as it does for the store; it was not run for that.
    """

    condition: str
    statement: str
    plan: str


class TakesTooLong(RequestRefused):
    """The database was stopped at a filter that is too much work for a page."""

    def __init__(self) -> None:
        super().__init__(
            503,
            "It takes too long to look this filter up just now, so we stopped. Ask for fewer events, name a type or an"
            " id, or try again in a moment.",
            {"Retry-After": "2"},
        )


class Explains(Protocol):
    """Looks up and explains queries of a store that keeps its events in a database."""

    def query(self, filter: Filter, *, limit: int, backwards: bool = False) -> EventStream:
        """What `store.query` answers to the same arguments, if it can do so within a time that is short.

        Raises:
            TakesTooLong: it cannot.
            StoreUnavailable: the database does not answer.
        """
        ...

    def explain(self, filter: Filter, *, limit: int, backwards: bool) -> Explanation:
        """Explain what `store.query` does with the same arguments.

        Raises:
            TakesTooLong: even that takes long, for instance because somebody changes the table.
            StoreUnavailable: the database does not answer.
        """
        ...
