"""A reader who wants to be reached."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClaimReaderEmail:
    """Reach this reader at this address from now on.

    Attributes:
        email_hash: the keyed hash of the address. The address itself is known only to who typed it.
    """

    reader_id: str
    email_hash: str
    occurred_at: datetime
