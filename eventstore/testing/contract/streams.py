"""What a stream of any length holds: what the query finds, up to what was the head when it began."""

from datetime import timedelta
from itertools import islice
from typing import Final

import pytest

from eventstore import EventStore, Filter, FilterBuilder, P
from eventstore.testing.contract.base import Part
from eventstore.testing.contract.examples import EVERYTHING, NOON, event, having, of_types

_START: Final = FilterBuilder().matching()
_LENT_OR_FIRST_BOOK: Final = _START.any_event_type_of("Lent").or_matching().any_predicate_of(P("Book", 1))

STREAMS: list[tuple[Filter, list[int]]] = [
    (EVERYTHING, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    (EVERYTHING.after_sequence_number(4), [5, 6, 7, 8, 9, 10]),
    (EVERYTHING.after_sequence_number(100), []),
    (EVERYTHING.as_of(7), [1, 2, 3, 4, 5, 6, 7]),
    (EVERYTHING.as_of(100), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    (EVERYTHING.as_of(0), []),
    (of_types("Lent"), [1, 3, 5, 7, 9]),
    (of_types("Unknown"), []),
    (of_types("Lent").after_sequence_number(2).as_of(8), [3, 5, 7]),
    (having("Book", 2), [5, 6, 7, 8, 9, 10]),
    (having("Book", 1).as_of_moment(NOON + timedelta(hours=2)), [1, 2, 3]),
    (_START.any_event_type_of("Returned").and_any_predicate_of(P("Book", 1), P("Book", 3)).finalize(), [2, 4]),
    (_LENT_OR_FIRST_BOOK.finalize(), [1, 2, 3, 4, 5, 7, 9]),
    (_LENT_OR_FIRST_BOOK.up_to(8).finalize(), [1, 2, 3, 4, 5, 7]),
    (_LENT_OR_FIRST_BOOK.occurred_until(NOON + timedelta(hours=2)).finalize(), [1, 2, 3]),
    (FilterBuilder().occurred_from(NOON + timedelta(hours=7)).finalize(), [8, 9, 10]),
]


class Streams(Part):
    """Reading event by event."""

    @pytest.fixture
    def loans(self, engine: EventStore) -> EventStore:
        """Positions 1 to 10, an hour from one to the next, of two types and two books."""
        for hour in range(10):
            event_type, book = ("Lent", "Returned")[hour % 2], 1 + (hour >= 4)
            engine.append(event(event_type, f'{{"Book": {book}}}', NOON + timedelta(hours=hour)))
        return engine

    def test_a_stream_holds_what_the_query_finds(self, loans: EventStore) -> None:
        for wanted, expected in STREAMS:
            assert [found.sequence_number for found in loans.stream(wanted)] == expected, str(wanted)
            assert tuple(loans.stream(wanted)) == loans.query(wanted).events, str(wanted)

    def test_a_stream_ends_at_what_was_the_head_when_it_began(self, loans: EventStore) -> None:
        stream = loans.stream(of_types("Lent"))
        loans.append(event("Lent"))
        first = [found.sequence_number for found in islice(stream, 4)]
        loans.append(event("Lent"), event("Lent"))
        assert first + [found.sequence_number for found in stream] == [1, 3, 5, 7, 9]

    def test_a_stream_of_an_empty_store_is_empty(self, engine: EventStore) -> None:
        assert list(engine.stream(EVERYTHING)) == []

    def test_two_streams_are_read_side_by_side(self, loans: EventStore) -> None:
        lent, returned = loans.stream(of_types("Lent")), loans.stream(of_types("Returned"))
        pairs = [(one.sequence_number, other.sequence_number) for one, other in zip(lent, returned, strict=True)]
        assert pairs == [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]
