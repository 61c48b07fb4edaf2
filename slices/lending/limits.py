"""Numbers that the library has agreed on."""

from datetime import timedelta
from typing import Final

MOST_COPIES_PER_READER: Final = 10
MOST_RESERVATIONS_PER_READER: Final = 3
TIME_TO_COLLECT: Final = timedelta(hours=48)
"""How long a copy is held for the reader whose turn it is."""
