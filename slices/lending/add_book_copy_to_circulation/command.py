"""A new book on the librarian's table."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AddBookCopyToCirculation:
    """Offer this copy to readers from now on. `isbn` has 13 digits and no hyphens."""

    book_id: str
    isbn: str
    title: str
    authors: str
    edition: str
    publisher: str
    publication_year: int
    occurred_at: datetime
