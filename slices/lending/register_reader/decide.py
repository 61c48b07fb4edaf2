"""The rules of registering: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.lending.events import (
    ClaimingReaderEmailFailed,
    ReaderContractCanceled,
    ReaderEmailClaimed,
    ReaderEmailReleased,
    ReaderRegistered,
)
from slices.lending.register_reader.command import RegisterReader
from slices.lending.rejections import EmailAlreadyClaimed

RelevantToReader: TypeAlias = ReaderRegistered | ReaderContractCanceled
RelevantToEmail: TypeAlias = ReaderEmailClaimed | ReaderEmailReleased
Relevant: TypeAlias = RelevantToReader | RelevantToEmail
Happens: TypeAlias = ReaderRegistered | ReaderEmailClaimed
Refusal: TypeAlias = EmailAlreadyClaimed


def boundary(command: RegisterReader) -> Filter:
    """Whether this reader came and went; and who has the address, if there is one: without it nothing more is read.

    Which addresses this reader had before does not matter: each was released when the contract ended.
    """
    reader = (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(RelevantToReader))
        .and_any_predicate_of(P("ReaderID", command.reader_id))
    )
    if command.email_hash is None:
        return reader.finalize()
    return (
        reader.or_matching()
        .any_event_type_of(*stored_types(RelevantToEmail))
        .and_any_predicate_of(P("EmailHash", command.email_hash))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this reader and this address."""

    registered: bool = False
    email_is_held_by: str | None = None

    @classmethod
    def of(cls, _command: RegisterReader) -> "State":
        """Before anything happened."""
        return cls()


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case ReaderRegistered():
            return replace(state, registered=True)
        case ReaderContractCanceled():
            return replace(state, registered=False)
        case ReaderEmailClaimed(reader_id=reader_id):
            return replace(state, email_is_held_by=reader_id)
        case ReaderEmailReleased():
            return replace(state, email_is_held_by=None)
        case _:
            assert_never(event)


def decide(state: State, command: RegisterReader) -> Decision[Happens, Refusal]:
    """The first rule that applies decides.

    A contract never ends without its address being released, so nobody who is about to register holds one. If a log
    said otherwise, the address would still be this reader's, and is not refused.
    """
    if state.registered:
        return Nothing()
    registered = ReaderRegistered(command.reader_id, command.name, occurred_at=command.occurred_at)
    if command.email_hash is None:
        return Append(registered)
    if state.email_is_held_by not in {None, command.reader_id}:
        return _refuse(command, EmailAlreadyClaimed(command.reader_id))
    return Append(
        registered, ReaderEmailClaimed(command.reader_id, command.email_hash, occurred_at=command.occurred_at)
    )


def _refuse(command: RegisterReader, reason: Refusal) -> Reject[Refusal]:
    return Reject(reason, ClaimingReaderEmailFailed(command.reader_id, reason.name, occurred_at=command.occurred_at))
