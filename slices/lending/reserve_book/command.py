"""A reader who wants a copy that is not free."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReserveBook:
    """Put this reader on the waiting list of this copy, now."""

    book_id: str
    reader_id: str
    occurred_at: datetime
