"""`/glass/decision/<context>/<slice>`: what a command is decided on, before it is carried out, afterwards, at any time.

Nothing is remembered for this page. It is recomputed from the log, as of the positions that the address names.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from msgspec import Struct

from eventstore import EventStore, Filter, FilterBuilder, SequencedEvent
from eventstore.filters import FilterItem
from eventstore.postgres import where_clause
from library_app.event_log import find_event
from library_app.glass.events import ShownEvent
from slices.decision import Append, Reject
from slices.domain_event import DomainEvent
from slices.explaining import Explanation, as_text, explain, from_text, slice_of
from slices.grounds import grounds_of
from slices.outcome import Outcome
from slices.slice_map import CONTEXTS, WriteSlice, write_slices

MOST_ATTEMPTS: Final = 12
MOST_SHOWN: Final = 100
"""Events of a boundary that are shown: the newest ones, and besides them those that a refusal follows from."""

_LARGEST_POSITION: Final = 19
"""Digits."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One item of a boundary: events of these types, with any, or all, of these pairs."""

    event_types: tuple[str, ...]
    pairs: Sequence[tuple[str, str]]
    joint: str

    @classmethod
    def of(cls, item: FilterItem) -> "Clause":
        """What a page shows of it. Every value that slices ask for is a text."""
        pairs = [(predicate.key, json.loads(predicate.value)) for predicate in item.predicates]
        return cls(item.event_types, pairs, "and" if item.all_predicates else "or")


@dataclass(frozen=True, slots=True)
class Panel:
    """One look at the log: asked, found, decided.

    Attributes:
        clauses, sql: the boundary.
        guard: the condition that nothing may meet after the position, as SQL.
        found: how many events were found.
        events: those of them that are shown.
        grounds: the numbers of those that a refusal follows from.
        never_happened: whether a refusal follows from none of them.
        position: read up to here.
        state: what is known, name by name.
        reason: the name of the rule that refused; empty if none did.
        sentence: the decision in words.
        facts: what the reason says besides.
        to_append: the events that follow from it.
        recorded: the failure event of a refusal.
    """

    clauses: Sequence[Clause]
    sql: str
    guard: str
    found: int
    events: Sequence[ShownEvent]
    grounds: frozenset[int]
    never_happened: bool
    position: int
    state: Mapping[str, str]
    reason: str
    sentence: str
    facts: Mapping[str, str]
    to_append: Sequence[tuple[str, Mapping[str, str]]]
    recorded: str | None

    @classmethod
    def of(cls, command: Any, found: Explanation, command_slice: WriteSlice) -> "Panel":
        """What a page shows of an explanation."""
        decision = found.decision
        reason = decision.reason if isinstance(decision, Reject) else None
        failure = decision.failure_event if isinstance(decision, Reject) else None
        grounds = grounds_of(command, found)
        shown = {event.sequence_number for event in (*found.events[-MOST_SHOWN:], *grounds.events)}
        return cls(
            clauses=[Clause.of(item) for item in found.boundary.items],
            sql=where_clause(found.boundary),
            guard=where_clause(found.boundary.after_sequence_number(found.position)),
            found=len(found.events),
            events=[ShownEvent.of(event) for event in found.events if event.sequence_number in shown],
            grounds=frozenset(event.sequence_number for event in grounds.events),
            never_happened=reason is not None and grounds.examined_all and not grounds.events,
            position=found.position,
            state=_shown(found.state),
            reason=reason.name if reason else "",
            sentence=_sentence(found, command_slice),
            facts=_shown(reason) if reason else {},
            to_append=[_event(event) for event in decision.events] if isinstance(decision, Append) else [],
            recorded=failure.TYPE if failure else None,
        )


@dataclass(frozen=True, slots=True)
class Between:
    """What came between one look and the next.

    Attributes:
        event: the event.
        met: the part of the boundary that it lies in, in words; empty if it lies in none.
        written_by: the id of the command that wrote it.
    """

    event: ShownEvent
    met: str
    written_by: str


def address_of(command: Any, outcome: Outcome | None = None) -> str:
    """The address of the page for a command.

    Args:
        command: of any slice.
        outcome: what became of it. The address then names what each attempt had read, what it met, what was written.
    """
    found = slice_of(command)
    query: list[tuple[str, str]] = list(as_text(command).items())
    if outcome is not None:
        report = outcome.report
        query += [("AsOf", str(attempt.read_up_to)) for attempt in report.attempts]
        query += [("Between", str(conflict.sequence_number)) for conflict in report.conflicts]
        query += [("Wrote", str(event.sequence_number)) for event in outcome.events]
    else:
        query = [(key, value) for key, value in query if key != "OccurredAt"]
    return f"/glass/decision/{found.context}/{found.name}?{urlencode(query)}"


def blueprint(store: EventStore, clock: Callable[[], datetime]) -> Blueprint:
    """The route."""
    routes = Blueprint("decision", __name__)

    @routes.get("/glass/decision/<context>/<name>")
    def decision(context: str, name: str) -> ResponseReturnValue:
        found = _slice(context, name)
        try:
            command = from_text(found, request.args, clock())
            looked_at: list[int | None] = list(_positions("AsOf"))
            between, wrote = _positions("Between"), _positions("Wrote")
        except ValidationError as refused:
            wrong = cast("Any", refused).messages
            return render_template("glass/decision.html", slice=found, wrong=wrong, panels=[]), 422
        explained = [explain(store, command, as_of) for as_of in looked_at or [None]]
        boundary = explained[0].boundary
        met = [_between(store, number, boundary) for number in between]
        head = store.query(FilterBuilder().matching_any_event(), limit=1).position
        panels = [Panel.of(command, each, found) for each in explained]
        return render_template(
            "glass/decision.html",
            slice=found,
            wrong={},
            given=as_text(command),
            panels=panels,
            between=[each for each in met if each is not None],
            wrote=wrote,
            head=head,
            is_past=bool(looked_at) and not wrote,
            names=_names(explained[-1].events),
        )

    return routes


def _names(found: Sequence[SequencedEvent]) -> dict[str, str]:
    """What people call the ids, as far as the events of the boundary say it."""
    events = map(ShownEvent.of, found)
    named = [(list(event.ids.values()), event.facts.get("Title") or event.facts.get("Name")) for event in events]
    return {ids[0]: name for ids, name in named if name and len(ids) == 1}


def _slice(context: str, name: str) -> WriteSlice:
    known = {each.name: each for each in write_slices(context)} if context in CONTEXTS else {}
    return known[name] if name in known else abort(404)


def _positions(key: str) -> list[int]:
    given = request.args.getlist(key)[:MOST_ATTEMPTS]
    numbers = [text for text in given if text.strip()]
    if not all(text.isascii() and text.isdigit() and len(text) < _LARGEST_POSITION for text in numbers):
        raise ValidationError({key: ["A position in the log, please: a whole number."]})
    return [int(text) for text in numbers]


def _between(store: EventStore, number: int, boundary: Filter) -> Between | None:
    found = find_event(store, number)
    if found is None:
        return None
    met = next((str(item) for item in boundary.items if Filter(items=(item,)).matches(found.event)), "")
    metadata: dict[str, Any] = json.loads(found.event.metadata)
    return Between(ShownEvent.of(found.event), met, str(metadata.get("CausationID", "")))


def _sentence(found: Explanation, command_slice: WriteSlice) -> str:
    match found.decision:
        case Reject(reason):
            return reason.message
        case Append():
            return "No rule speaks against it."
        case _:
            return f"Nothing to do: {' '.join(command_slice.nothing.split())}."


def _event(event: DomainEvent) -> tuple[str, Mapping[str, str]]:
    keys = zip(event.__struct_fields__, event.__struct_encode_fields__, strict=True)
    return event.TYPE, {key: _text(getattr(event, name)) for name, key in keys if key != "OccurredAt"}


def _shown(value: Any) -> dict[str, str]:
    """The fields of a state or a reason, one in another as `one, other`."""
    shown: dict[str, str] = {}
    names = value.__struct_fields__ if isinstance(value, Struct) else value.__dataclass_fields__
    for field in names:
        inner, name = getattr(value, field), field.replace("_", " ")
        if dataclasses.is_dataclass(inner):
            shown |= {f"{name}, {key}": text for key, text in _shown(inner).items()}
        else:
            shown[name] = _text(inner)
    return shown


def _text(value: Any) -> str:
    match value:
        case None:
            return "—"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%d %b %Y, %H:%M:%S}"
        case tuple():
            return ", ".join(map(str, value)) or "—"  # pyright: ignore[reportUnknownArgumentType]
        case frozenset():
            return ", ".join(sorted(map(str, value))) or "—"  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return str(value)
