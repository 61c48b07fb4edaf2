"""From events to the list of readers. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never

from slices.lending.events import ReaderContractCanceled, ReaderRegistered

Relevant: TypeAlias = ReaderRegistered | ReaderContractCanceled


@dataclass(frozen=True, slots=True)
class RegisteredReader:
    """Somebody who may borrow books."""

    reader_id: str
    name: str
    registered_at: datetime


def project(history: Iterable[Relevant]) -> tuple[RegisteredReader, ...]:
    """Readers by the time of their registration, the latest one if they came back; ties in the order of the log."""
    readers: dict[str, RegisteredReader] = {}
    for event in history:
        match event:
            case ReaderRegistered():
                readers.pop(event.reader_id, None)
                readers[event.reader_id] = RegisteredReader(event.reader_id, event.name, event.occurred_at)
            case ReaderContractCanceled():
                readers.pop(event.reader_id, None)
            case _:
                assert_never(event)
    return tuple(sorted(readers.values(), key=lambda reader: reader.registered_at))
