"""Somebody who wants to take courses."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RegisterStudent:
    """Let this person take courses from now on."""

    student_id: str
    name: str
    occurred_at: datetime
