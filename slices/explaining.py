"""What a command is decided on, at any moment of the log: the same functions as in earnest, and nothing is written.

A decision depends on nothing but the events of its boundary up to a position. So whoever knows the command and the
position can look at it again, as often as they like: before it is carried out, afterwards, and as of any time.
"""

import dataclasses
import importlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from marshmallow import ValidationError

from eventstore import EventStore, Filter, SequencedEvent
from slices.codec import decode
from slices.decision import AnyDecision
from slices.domain_event import json_key
from slices.fields import Id, Text
from slices.slice_map import WriteSlice, write_slices

LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and all that it rests on.

    Attributes:
        boundary: what was asked for.
        events: what was found, in order.
        position: the head of the store up to which was read.
        state: what the events were folded into.
        decision: what follows from it.
    """

    boundary: Filter
    events: tuple[SequencedEvent, ...]
    position: int
    state: Any
    decision: AnyDecision


def slice_of(command: object) -> WriteSlice:
    """The slice that a command belongs to."""
    _, context, name, _ = type(command).__module__.split(".")
    return next(each for each in write_slices(context) if each.name == name)


def rules_of(command: object) -> Any:
    """The pure functions of the slice that a command belongs to: its module `decide`."""
    return importlib.import_module(f"{type(command).__module__.rpartition('.')[0]}.decide")


def explain(store: EventStore, command: Any, as_of: int | None = None) -> Explanation:
    """Decide, and write nothing.

    >>> explain(store, LendBookToReader(book_id, reader_id, now), as_of=41).decision
    Append(events=(BookCopyLentToReader(…),))

    Args:
        store: where the events are.
        command: of any slice.
        as_of: a position: what came later is not looked at. None for the present.
    """
    rules = rules_of(command)
    boundary: Filter = rules.boundary(command)
    found = store.query(boundary if as_of is None else boundary.as_of(as_of))
    state = reduce(rules.evolve, map(decode, found), rules.State.of(command))
    position = found.position if as_of is None else min(as_of, found.position)
    return Explanation(boundary, found.events, position, state, rules.decide(state, command))


def as_text(command: Any) -> dict[str, str]:
    """The fields of a command as an address can hold them. What was left out is left out."""
    fields = {field.name: getattr(command, field.name) for field in dataclasses.fields(command)}
    return {
        json_key(name): value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in fields.items()
        if value is not None
    }


def from_text(command_slice: WriteSlice, given: Mapping[str, str], now: datetime) -> Any:
    """The command that an address names: the reverse of `as_text`.

    Args:
        command_slice: which command.
        given: its fields by their keys; others are left alone.
        now: when it happens, unless `OccurredAt` says so.

    Raises:
        ValidationError: with what is wrong, by key.
    """
    made: dict[str, Any] = {"occurred_at": now}
    wrong: dict[str, list[str]] = {}
    for name, hint in typing.get_type_hints(command_slice.command).items():
        key = json_key(name)
        may_be_left_out = name == "occurred_at" or type(None) in typing.get_args(hint)
        if not given.get(key, "").strip():
            if not may_be_left_out:
                wrong[key] = ["This is needed."]
            continue
        try:
            made[name] = _parsed(name, hint, given[key].strip())
        except ValidationError as reason:
            wrong[key] = [str(message) for message in reason.messages]  # pyright: ignore
    if wrong:
        raise ValidationError(wrong)
    return command_slice.command(**made)


def _parsed(name: str, hint: Any, text: str) -> Any:
    if name.endswith("_id"):
        return Id().clean(text)
    if hint is datetime:
        return _moment(text)
    if hint is int:
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ValidationError("Not a whole number.")
        return int(text)
    return Text(LONGEST_TEXT).clean(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError("Not a moment, such as 2025-07-01T12:00:00+00:00.") from None
    if moment.utcoffset() is None:
        raise ValidationError("The time zone is missing, such as +00:00.")
    return moment
