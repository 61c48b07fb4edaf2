"""The wish of a reader at the desk."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LendBookToReader:
    """Lend this copy to this reader, now."""

    book_id: str
    reader_id: str
    occurred_at: datetime
