"""Every address that the app answers with something to read, off its url map; and a library that has all of it."""

import re
from datetime import timedelta
from typing import Final

from flask import Flask

from slices.domain_event import DomainEvent
from slices.enrollment.events import CourseDefined, StudentRegistered
from slices.lending.events import BookCopyAddedToCirculation, BookCopyRemovedFromCirculation, ReaderRegistered
from tests.slices.enrollment.world import EVE, LATIN, enrolled
from tests.slices.lending.world import (
    ANN,
    BOB,
    BOB_CANCELED,
    BOOK,
    CAT,
    NOON,
    OTHER_BOOK,
    book_id,
    held,
    lent,
    reserved,
    returned,
)

_ARGUMENTS: Final = {
    "number": "1",
    "book_id": BOOK,
    "reader_id": ANN,
    "student_id": EVE,
    "course_id": LATIN,
    "context": "lending",
    "name": "lend_book_to_reader",
}
"""What stands in an address. Who brings a page about something else says here what that is."""

_ASKED: Final = {
    "/library/desk": f"ReaderID={ANN}&q=alert",
    "/library/search": "q=alert",
    "/glass/decision/lending/lend_book_to_reader": f"BookID={OTHER_BOOK}&ReaderID={CAT}",
    "/glass/stream": "after=0",
}
"""For pages that show something only when they are asked."""


def addresses(app: Flask) -> list[str]:
    """All but files, each with something that exists."""
    rules = [str(rule) for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    pages = [rule for rule in rules if not rule.startswith(("/static/", "/api/docs/"))]
    filled = [re.sub(r"<(?:\w+:)?(\w+)>", lambda found: _ARGUMENTS[found[1]], rule) for rule in pages]
    return sorted(f"{address}?{_ASKED[address]}" if address in _ASKED else address for address in filled)


def everything_called(name: str) -> tuple[DomainEvent, ...]:
    """A history in which every list of library and school has an entry, and every entry this name."""
    copies = (BOOK, OTHER_BOOK, book_id(1), book_id(2))
    return (
        *(
            BookCopyAddedToCirculation(copy, "9781098100131", name, name, name, name, 2021, occurred_at=NOON)
            for copy in copies
        ),
        *(ReaderRegistered(reader, name, occurred_at=NOON) for reader in (ANN, BOB, CAT)),
        BOB_CANCELED,
        lent(BOOK, ANN),
        returned(BOOK, ANN),
        held(BOOK, ANN, NOON + timedelta(days=9999)),
        lent(OTHER_BOOK, ANN),
        reserved(OTHER_BOOK, CAT),
        BookCopyRemovedFromCirculation(book_id(1), occurred_at=NOON),
        CourseDefined(LATIN, name, 2, occurred_at=NOON),
        StudentRegistered(EVE, name, occurred_at=NOON),
        enrolled(EVE, LATIN),
    )
