"""The rules of ending a contract: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.lending.events import (
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    CancelingReaderContractFailed,
    ReaderContractCanceled,
    ReaderEmailClaimed,
    ReaderEmailReleased,
    ReaderRegistered,
)
from slices.lending.rejections import ReaderHasOutstandingLoans, ReaderNeverRegistered

Relevant: TypeAlias = (
    ReaderRegistered
    | ReaderContractCanceled
    | ReaderEmailClaimed
    | ReaderEmailReleased
    | BookCopyLentToReader
    | BookCopyReturnedByReader
)
Happens: TypeAlias = ReaderContractCanceled | ReaderEmailReleased
Refusal: TypeAlias = ReaderNeverRegistered | ReaderHasOutstandingLoans


def boundary(command: CancelReaderContract) -> Filter:
    """All that this reader has of the library: a contract, an address, books."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("ReaderID", command.reader_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this reader."""

    was_registered: bool = False
    is_registered: bool = False
    email_hash: str | None = None
    copies: int = 0

    @classmethod
    def of(cls, _command: CancelReaderContract) -> "State":
        """Before anything happened."""
        return cls()


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case ReaderRegistered():
            return replace(state, was_registered=True, is_registered=True)
        case ReaderContractCanceled():
            return replace(state, is_registered=False)
        case ReaderEmailClaimed(email_hash=email_hash):
            return replace(state, email_hash=email_hash)
        case ReaderEmailReleased():
            return replace(state, email_hash=None)
        case BookCopyLentToReader():
            return replace(state, copies=state.copies + 1)
        case BookCopyReturnedByReader():
            return replace(state, copies=state.copies - 1)
        case _:
            assert_never(event)


def decide(state: State, command: CancelReaderContract) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if not state.was_registered:
        return _refuse(command, ReaderNeverRegistered(command.reader_id))
    if not state.is_registered:
        return Nothing()
    if state.copies > 0:
        return _refuse(command, ReaderHasOutstandingLoans(command.reader_id, state.copies))
    canceled = ReaderContractCanceled(command.reader_id, occurred_at=command.occurred_at)
    if state.email_hash is None:
        return Append(canceled)
    return Append(canceled, ReaderEmailReleased(command.reader_id, state.email_hash, occurred_at=command.occurred_at))


def _refuse(command: CancelReaderContract, reason: Refusal) -> Reject[Refusal]:
    return Reject(
        reason, CancelingReaderContractFailed(command.reader_id, reason.name, occurred_at=command.occurred_at)
    )
