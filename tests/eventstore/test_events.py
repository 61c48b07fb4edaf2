"""What an event is made of, and what is refused before it reaches a store."""

import time
import uuid
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from eventstore import EventStoreError, InvalidEvent, SequencedEvent, StorableEvent, uuid7

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Arguments = dict[str, Any]


def build(event_type: Any = "A", occurred_at: Any = NOON, **more: Any) -> StorableEvent:
    return StorableEvent.build(event_type, occurred_at, **{"payload": b"{}", **more})


def test_an_event_is_what_it_was_made_of() -> None:
    event_id = uuid.uuid4()
    built = build("BookCopyLent", payload=b'{"Book": 1}', metadata=b'{"By": "Ann"}', event_id=event_id)
    assert built == StorableEvent(event_id, "BookCopyLent", NOON, b'{"Book": 1}', b'{"By": "Ann"}')


def test_an_event_has_no_metadata_unless_it_is_given() -> None:
    assert build().metadata == b"{}"


@pytest.mark.parametrize("field", ["event_id", "event_type", "occurred_at", "payload", "metadata"])
def test_an_event_never_changes(field: str) -> None:
    stored = SequencedEvent(1, uuid7(), "A", NOON, b"{}", b"{}")
    for unchangeable in (build(), stored):
        with pytest.raises(FrozenInstanceError):
            setattr(unchangeable, field, None)


def test_a_sequenced_event_has_the_same_fields_and_its_number() -> None:
    fields = set(StorableEvent.__dataclass_fields__)
    assert set(SequencedEvent.__dataclass_fields__) == fields | {"sequence_number"}


def test_an_invalid_event_is_an_event_store_error_and_a_value_error() -> None:
    assert issubclass(InvalidEvent, EventStoreError)
    assert issubclass(InvalidEvent, ValueError)


@pytest.mark.parametrize("event_type", ["A", " ", "x" * 255, "é" * 255, "\U0001f4d6" * 255, "O'Brien", "\n"])
def test_a_type_has_one_to_255_characters(event_type: str) -> None:
    assert build(event_type).event_type == event_type


@pytest.mark.parametrize("event_type", ["", "x" * 256, None, 1, b"A", ["A"], "A\x00B", "\ud800", "A\udfff"])
def test_another_type_is_refused(event_type: object) -> None:
    with pytest.raises(InvalidEvent, match="event type"):
        build(event_type)


@pytest.mark.parametrize("occurred_at", [datetime(2026, 3, 1, 12), date(2026, 3, 1), "2026-03-01T12:00:00Z", 0, None])  # noqa: DTZ001
def test_a_time_without_zone_or_of_another_kind_is_refused(occurred_at: object) -> None:
    with pytest.raises(InvalidEvent, match="occurred_at"):
        build(occurred_at=occurred_at)


def test_a_time_is_kept_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    built = build(occurred_at=datetime(2026, 3, 1, 21, tzinfo=tokyo))
    assert built.occurred_at == NOON
    assert built.occurred_at.tzinfo is UTC


@pytest.mark.parametrize(
    "occurred_at",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_a_time_that_utc_cannot_express_is_refused(occurred_at: datetime) -> None:
    with pytest.raises(InvalidEvent, match="UTC"):
        build(occurred_at=occurred_at)


@pytest.mark.parametrize("part", ["payload", "metadata"])
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"null",
        b"1",
        b'"A"',
        b"[]",
        b"[{}]",
        b"{",
        b"{}}",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": 1e131072}',
        b'{"a": "\n"}',
        b'{"a": 1}\x00',
        b'{"a": ' * 100_000,
        "{}",
        bytearray(b"{}"),
        {},
        None,
    ],
    ids=lambda value: repr(value)[:30] if not isinstance(value, str) else value,
)
def test_what_is_no_json_object_in_bytes_is_refused(part: str, text: object) -> None:
    arguments: Arguments = {"payload": b"{}", part: text}
    with pytest.raises(InvalidEvent, match=part):
        build(**arguments)


@pytest.mark.parametrize("text", [b"{}", b' {"a" : 1} \n', b'{"a": {"b": [1, null, true, "\xc3\xa9"]}}', b'{"": ""}'])
def test_payload_and_metadata_are_kept_as_they_were_given(text: bytes) -> None:
    built = build(payload=text, metadata=text)
    assert (built.payload, built.metadata) == (text, text)


@pytest.mark.parametrize("event_id", ["0195a7f0-0000-7000-8000-000000000001", 1, b"0" * 16, ""])
def test_an_id_that_is_no_uuid_is_refused(event_id: object) -> None:
    with pytest.raises(InvalidEvent, match="event id"):
        build(event_id=event_id)


def test_any_uuid_may_be_an_id() -> None:
    for event_id in (uuid.UUID(int=0), uuid.uuid5(uuid.NAMESPACE_URL, "x"), uuid.UUID(int=2**128 - 1)):
        assert build(event_id=event_id).event_id == event_id


def test_an_event_gets_an_id_of_its_own() -> None:
    ids = {build().event_id for _ in range(1000)}
    assert len(ids) == 1000


def test_an_id_is_a_uuid_of_version_7() -> None:
    before = time.time_ns() // 1_000_000
    ids = [uuid7() for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert {(one.version, one.variant) for one in ids} == {(7, uuid.RFC_4122)}
    assert all(before <= one.int >> 80 <= after for one in ids)


def test_ids_made_later_sort_later() -> None:
    earlier = uuid7()
    time.sleep(0.002)
    assert earlier < uuid7()


def test_the_random_bits_of_an_id_all_vary() -> None:
    ones = zeros = 0
    for _ in range(500):
        number = uuid7().int
        ones |= number
        zeros |= ~number
    random_bits = (0xFFF << 64) | ((1 << 62) - 1)
    assert ones & random_bits == random_bits
    assert zeros & random_bits == random_bits
