"""A reader who leaves."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CancelReaderContract:
    """Let this reader borrow no more books, from now on."""

    reader_id: str
    occurred_at: datetime
