"""A copy that is worn out, lost its place, or has to make room."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RemoveBookCopyFromCirculation:
    """Offer this copy to readers no longer."""

    book_id: str
    occurred_at: datetime
