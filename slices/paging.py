"""Long lists: what fits to the words that were typed, a page at a time."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

ROWS: Final = 25


def fitting(rows: Iterable[T], typed: str, text_of: Callable[[T], str]) -> list[T]:
    """The rows whose text holds every word that was typed, or a part of it. Capitals and accents do not matter.

    >>> fitting(["José Álvarez", "Ann"], "jose alv", str)
    ['José Álvarez']
    """
    words = _plain(typed).split()

    def fits(row: T) -> bool:
        text = _plain(text_of(row))
        return all(word in text for word in words)

    return [row for row in rows if fits(row)] if words else list(rows)


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


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
