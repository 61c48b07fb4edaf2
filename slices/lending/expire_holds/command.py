"""The hour at which somebody looks over the hold shelf."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ExpireHolds:
    """End the hold of this copy, if its time has passed by now."""

    book_id: str
    occurred_at: datetime
