"""Keys and snapshots: what cannot be kept is refused with the value."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from eventstore import (
    EventStoreError,
    FilterBuilder,
    InvalidFilter,
    InvalidSnapshot,
    Snapshot,
    SnapshotKey,
    uuid7,
)
from tests.eventstore.examples import EVERYTHING, having

HASH = having("K", 1).hash()
KEY = SnapshotKey("loans", 1, HASH)


NOT_A_NAME: list[Any] = ["", "x" * 256, None, 1, b"loans", "a\x00", "\ud800"]
NOT_A_VERSION: list[Any] = [0, -1, 2**31, True, "1", 1.0, None]
NOT_A_HASH: list[Any] = ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 63 + "\n", None, bytes(64), having("K", 1)]
NOT_A_NUMBER: list[Any] = [0, -1, 2**63, True, "1", None]
NOT_A_STATE: list[Any] = [None, "state", bytearray(b"state"), memoryview(b"state")]


@pytest.mark.parametrize("name", NOT_A_NAME)
def test_a_name_that_cannot_be_stored_is_refused(name: Any) -> None:
    with pytest.raises(InvalidSnapshot, match="the name of a projection"):
        SnapshotKey(name, 1, HASH)


@pytest.mark.parametrize("version", NOT_A_VERSION)
def test_a_version_is_a_whole_number_from_one_on(version: Any) -> None:
    with pytest.raises(InvalidSnapshot, match="the version of a projection must be"):
        SnapshotKey("loans", version, HASH)


@pytest.mark.parametrize("filter_hash", NOT_A_HASH)
def test_a_filter_hash_is_that_of_a_filter(filter_hash: Any) -> None:
    with pytest.raises(InvalidSnapshot, match="filter_hash must be"):
        SnapshotKey("loans", 1, filter_hash)


@pytest.mark.parametrize("number", NOT_A_NUMBER)
def test_a_snapshot_ends_with_an_event(number: Any) -> None:
    with pytest.raises(InvalidSnapshot, match="the sequence number of a snapshot must be"):
        Snapshot(number, uuid7(), b"")


def test_the_event_of_a_snapshot_is_named_by_its_id() -> None:
    for wrong in (None, str(uuid7()), uuid7().bytes):
        with pytest.raises(InvalidSnapshot, match="event_id"):
            Snapshot(1, wrong, b"")  # type: ignore[arg-type]


@pytest.mark.parametrize("state", NOT_A_STATE)
def test_a_state_must_be_bytes(state: Any) -> None:
    with pytest.raises(InvalidSnapshot, match="a state must be bytes"):
        Snapshot(1, uuid7(), state)


def test_errors_of_snapshots_are_of_the_package_and_of_python() -> None:
    assert issubclass(InvalidSnapshot, EventStoreError)
    assert issubclass(InvalidSnapshot, ValueError)


def test_a_key_is_made_of_a_whole_stream() -> None:
    january = FilterBuilder().occurred_from(datetime(2026, 1, 1, tzinfo=UTC)).finalize()
    assert SnapshotKey.of("loans", 1, having("K", 1)) == KEY
    assert SnapshotKey.of("loans", 1, january) != SnapshotKey.of("loans", 1, EVERYTHING)
    for part in (EVERYTHING.after_sequence_number(0), EVERYTHING.after_sequence_number(3), EVERYTHING.as_of(3)):
        with pytest.raises(InvalidFilter, match="whole stream"):
            SnapshotKey.of("loans", 1, part)


def test_a_snapshot_does_not_print_its_state() -> None:
    assert repr(Snapshot(7, UUID(int=1), bytes(1000))) == f"Snapshot(sequence_number=7, event_id={UUID(int=1)!r})"
