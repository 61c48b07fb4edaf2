"""Numbers that the library has agreed on."""

from typing import Final

MOST_COPIES_PER_READER: Final = 10
