"""The map in README.md, drawn from the slices. `python -m slices.slice_map_text` brings it up to date; a test compares.

The map stands between the two marks; what is outside them is written by hand.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from slices.slice_map import CONTEXTS, Alternative, ReadSlice, WriteSlice, read_slices, write_slices

README: Final = Path(__file__).with_name("README.md")
BEGIN: Final = "<!-- The map: drawn by `make map`. -->"
END: Final = "<!-- End of the map. -->"

_THINGS: Final = {
    "BookID": "copy",
    "ReaderID": "reader",
    "EmailHash": "address",
    "CourseID": "course",
    "StudentID": "student",
}
_WHOSE: Final = re.compile(r"^(BookCopy|Book|Reader|Course|Student)|(To|From|By|For)(Circulation|Reader|Course)$")


def drawn() -> str:
    """The whole map, in Markdown."""
    return "\n".join(line for context in CONTEXTS for line in _context(context)).strip()


def with_map(text: str) -> str:
    """The text with today's map between its two marks.

    Raises:
        ValueError: if a mark is missing.
    """
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"there is no place for the map: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{drawn()}\n\n{END}{after}"


def short(event_type: str) -> str:
    """An event type in as few words as the neighbourhood of its context allows.

    >>> short("BookCopyLentToReader"), short("CourseCapacityChanged")
    ('lent', 'capacity changed')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _WHOSE.sub("", event_type)).lower()


def in_words(boundary: tuple[Alternative, ...]) -> str:
    """A boundary as the map says it.

    >>> in_words((Alternative(("BookCopyLentToReader",), ("BookID", "ReaderID"), False),))
    'lent · of this copy **or** this reader'
    """
    return "; **or** ".join(_alternative(item) for item in boundary)


def asked(question: ReadSlice) -> str:
    """What a question reads, as the map says it: its boundary, then what is looked up for what was found."""
    looked_up = ", ".join(short(event_type) for event_type in question.looked_up)
    return in_words(question.boundary) + (f"; then {looked_up} · of what was found" if looked_up else "")


def whose(item: Alternative) -> str:
    """Whose events an alternative asks for; nothing, if everybody's.

    >>> whose(Alternative(("StudentEnrolledToCourse",), ("StudentID", "CourseID"), True))
    'of this student **and** this course'
    """
    joint = " **and** " if item.all_keys else " **or** "
    things = joint.join(f"this {_THINGS[key]}" for key in item.keys)
    return f"of {things}" if things else ""


def meeting_things(commands: Iterable[WriteSlice]) -> str:
    """The things over which commands can meet.

    >>> meeting_things(write_slices("enrollment"))
    'course or student'
    """
    keys = {key: None for command in commands for item in command.boundary for key in item.keys}
    *first, last = (_THINGS[key] for key in keys)
    return f"{', '.join(first)} or {last}"


def _alternative(item: Alternative) -> str:
    types = ", ".join(short(event_type) for event_type in item.event_types)
    return f"{types} · {whose(item)}" if item.keys else types


def _context(context: str) -> Iterator[str]:
    commands = write_slices(context)
    yield f"### {context.capitalize()}: commands"
    yield "| | Command | Boundary | Events | Refusals |"
    yield "|---|---|---|---|---|"
    for number, command in enumerate(commands, 1):
        yield (
            f"| {number} | {_link(command)} | {in_words(command.boundary)} | {_code(command.happens)}"
            f" | {_refusals(command)} |"
        )
    yield ""
    yield f"### {context.capitalize()}: which command disturbs which"
    yield "A row disturbs a column (●) if it can write an event that lies in the column's boundary. When that event"
    yield "comes between the column's query and its append, the column decides again. Two commands meet only over the"
    yield f"same {meeting_things(commands)}; else neither notices the other."
    yield ""
    yield "| | " + " | ".join(str(number) for number, _ in enumerate(commands, 1)) + " |"
    yield "|---|" + ":-:|" * len(commands)
    for number, row in enumerate(commands, 1):
        cells = " | ".join("●" if column.disturbed_by(row) else "" for column in commands)
        yield f"| {number} {row.name} | {cells} |"
    yield ""
    yield f"### {context.capitalize()}: questions"
    yield "| Question | Boundary | Answer |"
    yield "|---|---|---|"
    for question in read_slices(context):
        yield f"| {_link(question)} | {asked(question)} | {_line(question.answer)} |"
    yield ""


def _link(slice_: WriteSlice | ReadSlice) -> str:
    return f"[{slice_.name}]({slice_.context}/{slice_.name})"


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _refusals(command: WriteSlice) -> str:
    if not command.refusals:
        return "none"
    recorded = f"recorded as `{command.recorded_as}`" if command.recorded_as else "not recorded"
    return f"{_code(command.refusals)}; {recorded}"


def _line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    README.write_text(with_map(README.read_text()))
