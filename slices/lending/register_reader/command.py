"""Somebody who wants to borrow books."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RegisterReader:
    """Let this person borrow books from now on.

    Attributes:
        email_hash: of the address by which the reader is reached, if one was given. Here is only its keyed hash.
    """

    reader_id: str
    name: str
    occurred_at: datetime
    email_hash: str | None = None
