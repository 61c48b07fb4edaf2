"""Long lists, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

ROWS: Final = 25


@dataclass(frozen=True, slots=True)
class PageOf(Generic[T]):
    """Some rows of a list.

    Attributes:
        rows: of this page.
        total: rows on all pages together.
        number: of this page, from 1 on.
        pages: how many there are, at least 1.
    """

    rows: Sequence[T]
    total: int
    number: int
    pages: int


def page_of(rows: Sequence[T], number: str | None) -> PageOf[T]:
    """The page that an address asks for, or the nearest that exists.

    >>> page_of(range(60), "3").rows
    range(50, 60)
    """
    pages = max(1, -(-len(rows) // ROWS))
    wanted = int(number) if number and number.isascii() and number.isdigit() and len(number) < 10 else 1
    page = min(max(wanted, 1), pages)
    return PageOf(rows[(page - 1) * ROWS : page * ROWS], len(rows), page, pages)
