"""The rules of addresses: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.lending.claim_reader_email.command import ClaimReaderEmail
from slices.lending.events import (
    ClaimingReaderEmailFailed,
    ReaderContractCanceled,
    ReaderEmailClaimed,
    ReaderEmailReleased,
    ReaderRegistered,
)
from slices.lending.rejections import EmailAlreadyClaimed, ReaderNotRegistered

RelevantToEmail: TypeAlias = ReaderEmailClaimed | ReaderEmailReleased
RelevantToReader: TypeAlias = ReaderRegistered | ReaderContractCanceled | ReaderEmailClaimed | ReaderEmailReleased
Relevant: TypeAlias = RelevantToEmail | RelevantToReader
Happens: TypeAlias = ReaderEmailReleased | ReaderEmailClaimed
Refusal: TypeAlias = ReaderNotRegistered | EmailAlreadyClaimed


def boundary(command: ClaimReaderEmail) -> Filter:
    """Who has this address, or which one this reader has. That it is unique among all readers needs no list of them."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(RelevantToEmail))
        .and_any_predicate_of(P("EmailHash", command.email_hash))
        .or_matching()
        .any_event_type_of(*stored_types(RelevantToReader))
        .and_any_predicate_of(P("ReaderID", command.reader_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this address and this reader."""

    reader_id: str
    email_hash: str
    reader_is_registered: bool = False
    email_is_held_by: str | None = None
    email_of_reader: str | None = None

    @classmethod
    def of(cls, command: ClaimReaderEmail) -> "State":
        """Before anything happened."""
        return cls(command.reader_id, command.email_hash)


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. Other addresses of this reader lie in the boundary, too."""
    match event:
        case ReaderRegistered():
            return replace(state, reader_is_registered=True)
        case ReaderContractCanceled():
            return replace(state, reader_is_registered=False)
        case ReaderEmailClaimed(reader_id=reader_id, email_hash=email_hash):
            return replace(
                state,
                email_is_held_by=reader_id if email_hash == state.email_hash else state.email_is_held_by,
                email_of_reader=email_hash if reader_id == state.reader_id else state.email_of_reader,
            )
        case ReaderEmailReleased(reader_id=reader_id, email_hash=email_hash):
            return replace(
                state,
                email_is_held_by=None if email_hash == state.email_hash else state.email_is_held_by,
                email_of_reader=None if reader_id == state.reader_id else state.email_of_reader,
            )
        case _:
            assert_never(event)


def decide(state: State, command: ClaimReaderEmail) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if not state.reader_is_registered:
        return _refuse(command, ReaderNotRegistered(command.reader_id))
    if state.email_is_held_by == command.reader_id:
        return Nothing()
    if state.email_is_held_by is not None:
        return _refuse(command, EmailAlreadyClaimed(command.reader_id))
    claimed = ReaderEmailClaimed(command.reader_id, command.email_hash, occurred_at=command.occurred_at)
    if state.email_of_reader is None:
        return Append(claimed)
    return Append(
        ReaderEmailReleased(command.reader_id, state.email_of_reader, occurred_at=command.occurred_at), claimed
    )


def _refuse(command: ClaimReaderEmail, reason: Refusal) -> Reject[Refusal]:
    return Reject(reason, ClaimingReaderEmailFailed(command.reader_id, reason.name, occurred_at=command.occurred_at))
