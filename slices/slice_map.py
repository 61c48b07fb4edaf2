"""Which slices there are, what each of them reads and writes, and which can disturb which: read off the code itself.

Nothing here is written down twice: boundaries are asked for with stand-ins instead of ids, what can happen and what can
be refused stands in the type of `decide`, and the words are the docstring of the slice. `slice_map_text.py` draws the
map of README.md from it.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import ModuleType
from typing import Any, Final

from eventstore import Filter
from slices.decision import Append, Reject
from slices.domain_event import DomainEvent, json_key, stored_types

CONTEXTS: Final = ("lending", "enrollment")

_SECTION: Final = re.compile(r"(GIVEN|WHEN|THEN|REJECTED|NOTHING) +(.*)")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One item of a boundary: events of these types, found by these payload keys.

    Attributes:
        event_types: their stored names.
        keys: such as "BookID". None: every event of these types.
        all_keys: whether an event must have all the pairs that are asked for; else any of them is enough.
    """

    event_types: tuple[str, ...]
    keys: tuple[str, ...]
    all_keys: bool


@dataclass(frozen=True, slots=True)
class WriteSlice:
    """A command on the map.

    Attributes:
        context, name: its folder.
        summary: one sentence.
        command: the class of the command.
        boundary: what its decision depends on, and what its append is guarded against.
        happens: the stored names of the events that it can bring about.
        refusals: the names of the reasons that it can refuse for, in the order of the rules.
        recorded_as: the failure event of a refusal, if refusals are put on record.
        nothing: when there is nothing to do, in words.
    """

    context: str
    name: str
    summary: str
    command: type
    boundary: tuple[Alternative, ...]
    happens: tuple[str, ...]
    refusals: tuple[str, ...]
    recorded_as: str | None
    nothing: str

    @property
    def relevant(self) -> frozenset[str]:
        """The types that its boundary asks for."""
        return frozenset(event_type for item in self.boundary for event_type in item.event_types)

    def disturbed_by(self, other: "WriteSlice") -> tuple[str, ...]:
        """The events of the other slice that this one cannot overlook if they come between its query and its append.

        It has a direction: a return may change whether a contract can end, and the end of a contract never changes a
        return. Only commands about the same copy, reader, course or student can meet at all.
        """
        return tuple(event_type for event_type in other.happens if event_type in self.relevant)


@dataclass(frozen=True, slots=True)
class ReadSlice:
    """A question on the map.

    Attributes:
        context, name: its folder.
        summary: the question in words.
        boundary: the events of the answer.
        looked_up: the types of a second question, asked for what the first has found, such as titles.
        answer: the answer in words.
    """

    context: str
    name: str
    summary: str
    boundary: tuple[Alternative, ...]
    looked_up: tuple[str, ...]
    answer: str


@cache
def write_slices(context: str) -> tuple[WriteSlice, ...]:
    """The commands of a context, by name."""
    return tuple(_write_slice(context, name) for name in _names(context) if _has(context, name, "decide"))


@cache
def read_slices(context: str) -> tuple[ReadSlice, ...]:
    """The questions of a context, by name."""
    return tuple(_read_slice(context, name) for name in _names(context) if _has(context, name, "project"))


def _names(context: str) -> Iterator[str]:
    package = importlib.import_module(f"slices.{context}")
    return (module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)


def _has(context: str, name: str, file: str) -> bool:
    return importlib.util.find_spec(f"slices.{context}.{name}.{file}") is not None


def _write_slice(context: str, name: str) -> WriteSlice:
    decide = importlib.import_module(f"slices.{context}.{name}.decide")
    hints = typing.get_type_hints(decide.decide)
    summary, sections = _words(context, name)
    outcomes = {typing.get_origin(outcome): typing.get_args(outcome) for outcome in typing.get_args(hints["return"])}
    return WriteSlice(
        context,
        name,
        summary,
        hints["command"],
        _alternatives(decide.boundary(_stand_in(hints["command"]))),
        stored_types(outcomes[Append][0]),
        tuple(reason.name for reason in _members(outcomes[Reject][0])),
        _failure_event(decide),
        sections["NOTHING"],
    )


def _read_slice(context: str, name: str) -> ReadSlice:
    query = importlib.import_module(f"slices.{context}.{name}.query")
    project = importlib.import_module(f"slices.{context}.{name}.project")
    summary, sections = _words(context, name)
    parameters = inspect.signature(query.boundary).parameters
    asks_twice = any(name.startswith("boundary_of") for name in vars(query))
    second = [value for alias, value in vars(project).items() if asks_twice and alias.startswith("RelevantTo")]
    return ReadSlice(
        context,
        name,
        summary,
        _alternatives(query.boundary(*(json_key(parameter) for parameter in parameters))),
        tuple(event_type for relevant in second for event_type in stored_types(relevant)),
        sections["THEN"],
    )


def _stand_in(command: type) -> Any:
    """A command that names, for every field, the key under which an event would hold it. Nothing is left out."""
    stand_ins: dict[Any, Any] = {int: 1, datetime: datetime.min.replace(tzinfo=UTC)}
    hints = typing.get_type_hints(command)
    return command(**{name: stand_ins.get(hint, json_key(name)) for name, hint in hints.items()})


def _alternatives(boundary: Filter) -> tuple[Alternative, ...]:
    return tuple(
        Alternative(item.event_types, tuple(predicate.key for predicate in item.predicates), item.all_predicates)
        for item in boundary.items
    )


def _members(union: Any) -> tuple[Any, ...]:
    if union is typing.Never:
        return ()
    return typing.get_args(union) or (union,)


def _failure_event(decide: ModuleType) -> str | None:
    events = [value for value in vars(decide).values() if isinstance(value, type) and issubclass(value, DomainEvent)]
    failures = [event.TYPE for event in events if event.TYPE.endswith("Failed")]
    return failures[0] if failures else None


def _words(context: str, name: str) -> tuple[str, dict[str, str]]:
    """The first sentence of a slice's docstring, and what stands under GIVEN, WHEN, THEN, REJECTED and NOTHING."""
    words = inspect.getdoc(importlib.import_module(f"slices.{context}.{name}")) or ""
    first, *lines = words.splitlines()
    sections: dict[str, str] = {}
    section = None
    for line in lines:
        begins = _SECTION.match(line)
        if begins:
            section = begins[1]
            sections[section] = begins[2]
        elif section and line.startswith("  "):
            sections[section] += "\n" + line.strip()
        else:
            section = None
    return first, sections
