"""In the demo readers come, go and come back, and no two of them ever have one address."""

from collections import Counter

from eventstore import FilterBuilder, InMemoryEventStore
from library_app import Config
from library_app.keyed_hash import keyed_hash
from slices.codec import decode
from slices.lending.events import (
    CancelingReaderContractFailed,
    ClaimingReaderEmailFailed,
    ReaderContractCanceled,
    ReaderEmailClaimed,
    ReaderEmailReleased,
    ReaderRegistered,
)
from slices.lending.registered_readers.query import RegisteredReadersHandler
from slices.questions import Replaying
from tests.library_app.conftest import all_events


def test_contracts_begin_end_and_begin_again(seeded: InMemoryEventStore) -> None:
    events = [decode(event) for event in all_events(seeded)]
    ended = [event.reader_id for event in events if isinstance(event, ReaderContractCanceled)]
    begun = Counter(event.reader_id for event in events if isinstance(event, ReaderRegistered))
    assert sorted(begun[reader] for reader in ended) == [1, 2]
    registered = {reader.reader_id for reader in RegisteredReadersHandler(Replaying(seeded)).handle().view}
    assert [reader in registered for reader in ended].count(True) == 1


def test_what_is_not_possible_was_tried_once(seeded: InMemoryEventStore) -> None:
    events = [decode(event) for event in all_events(seeded)]
    assert [event.failure_info for event in events if isinstance(event, ClaimingReaderEmailFailed)] == [
        "EmailAlreadyClaimed"
    ]
    assert [event.failure_info for event in events if isinstance(event, CancelingReaderContractFailed)] == [
        "ReaderHasOutstandingLoans"
    ]


def test_no_two_readers_ever_have_one_address(seeded: InMemoryEventStore) -> None:
    holders: dict[str, str] = {}
    claims = 0
    for event in map(decode, all_events(seeded)):
        match event:
            case ReaderEmailClaimed(reader_id=reader_id, email_hash=email_hash):
                assert email_hash not in holders
                holders[email_hash] = reader_id
                claims += 1
            case ReaderEmailReleased(reader_id=reader_id, email_hash=email_hash):
                assert holders.pop(email_hash) == reader_id
            case _:
                pass
    assert claims >= 6
    assert len(set(holders.values())) == len(holders) == 3


def test_addresses_are_hashed_with_the_key_of_the_app(seeded: InMemoryEventStore, config: Config) -> None:
    claimed = seeded.query(FilterBuilder().matching().any_event_type_of("ReaderEmailClaimed").finalize())
    expected = keyed_hash(config.email_key, "teresa.alves@example.org")
    assert sum(expected in event.payload.decode() for event in claimed) == 2
