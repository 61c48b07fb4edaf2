"""A reader at the desk with a book to give back."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReturnBookFromReader:
    """Take this copy back from this reader, now."""

    book_id: str
    reader_id: str
    occurred_at: datetime
