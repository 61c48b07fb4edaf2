"""A reader who does not want to wait any longer."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Take this reader off the waiting list of this copy, now."""

    book_id: str
    reader_id: str
    occurred_at: datetime
