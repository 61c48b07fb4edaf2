"""Somebody who wants to borrow books."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RegisterReader:
    """Let this person borrow books from now on."""

    reader_id: str
    name: str
    occurred_at: datetime
