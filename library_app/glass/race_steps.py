"""`/glass/race/steps`: two sessions, whose steps the visitor puts in order. The address holds the whole schedule.

It is a GET, so that a schedule can be linked to, gone back from and loaded again. What it writes goes to the lab's own
log under new ids, and nobody asks for it: to whoever visits, nothing has changed. The limit of the labs keeps it rare.
"""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from library_app.race import RaceLab
from library_app.race.ladder import (
    Answered,
    Committed,
    Decided,
    Held,
    Inserted,
    Ladder,
    Note,
    Read,
    Refused,
    Rung,
)
from library_app.race.schedule import READY_SCHEDULES, Move, NoSchedule, Who, schedule, written
from slices.decision import Reject
from slices.outcome import StoredEvent

VERBS: Final = {"read": "reads", "append": "appends", "commit": "commits"}


@dataclass(frozen=True, slots=True)
class Said:
    """A note in words.

    Attributes:
        kind: its name in lower case, for the mark beside it.
        text: the sentence.
        detail: what only some want to read.
    """

    kind: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one session did in a step.

    Attributes:
        state: "holds" while its transaction is open, "held" while it waits for the lock, else empty.
    """

    name: str
    notes: tuple[Said, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Line:
    """A rung as the page shows it.

    Attributes:
        committed: what everybody can see since this step.
    """

    title: str
    cells: tuple[Cell, ...]
    committed: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A session and what it can do next.

    Attributes:
        title: of the button; empty if it can do nothing.
        address: where the button leads.
        words: why it can do nothing.
    """

    name: str
    title: str = ""
    address: str = ""
    words: str = ""


def blueprint(lab: RaceLab | None) -> Blueprint:
    """The route.

    Args:
        lab: where schedules are played; None if there is no database to play on.
    """
    routes = Blueprint("race_steps", __name__)

    @routes.get("/glass/race/steps")
    def steps() -> ResponseReturnValue:
        guarded = request.args.get("naive") != "yes"
        if lab is None:
            return _page(guarded, has_lab=False)
        try:
            moves = schedule(request.args.get("steps", ""))
        except NoSchedule as refused:
            return _page(guarded, refused=str(refused)), 422
        ladder = lab.step(moves, guarded=guarded)
        return _page(guarded, ladder=ladder, refused=refusal(ladder)), 422 if ladder.impossible else 200

    return routes


def refusal(ladder: Ladder) -> str:
    """Why a schedule could not be played to its end; empty if it could."""
    move = ladder.impossible
    if move is None:
        return ""
    return f"Step {len(ladder.rungs) + 1}, “{title_of(ladder, move)}”, is not possible: {state_of(ladder, move.who)}."


def title_of(ladder: Ladder, move: Move) -> str:
    """A step in words.

    >>> title_of(ladder, Move(Who.A, Step.READ))
    'Anna reads'
    """
    return f"{ladder.names[move.who]} {VERBS[move.step]}"


def state_of(ladder: Ladder, who: Who) -> str:
    """Where a session stands at the end of a ladder, in words."""
    name = ladder.names[who]
    if ladder.held is who:
        return f"{name} waits for the lock that {ladder.names[who.other]} holds"
    coming = next((move for move in ladder.possible if move.who is who), None)
    return f"{name} has an answer" if coming is None else f"{name} can only {coming.step} now"


def said(note: Note, ladder: Ladder, who: Who) -> Said:
    """A note in words."""
    match note:
        case Read(events, position):
            numbers = ", ".join(f"#{event.sequence_number}" for event in events)
            text = f"Reads {len(events)} events of the boundary ({numbers}); the log ends at #{position}."
        case Decided(Reject(reason)):
            text = f"Decides: no. {reason.message}"
        case Decided():
            text = "Decides: may have it."
        case Held():
            text = f"Waits for the lock that {ladder.names[who.other]} holds."
        case Inserted():
            text = _inserted(note, guarded=ladder.guarded)
        case Refused():
            text = _refused(note, guarded=ladder.guarded)
        case Committed(event):
            text = f"Commits #{event.sequence_number}."
        case Answered(Reject(reason)):
            text = f"Is told: {reason.message}"
        case Answered():
            return Said("won", "Has the copy.")
    met = note.conflict.filter_item if isinstance(note, Refused) and ladder.guarded else ""
    return Said(type(note).__name__.lower(), text, met)


def _inserted(note: Inserted, *, guarded: bool) -> str:
    number = note.event.sequence_number
    if note.after is None:
        return f"Inserts #{number}, the refusal, which needs no guard."
    passed = "Takes the lock. The guard finds nothing" if guarded else "The maximum finds nothing"
    return f"{passed} after #{note.after}: inserts #{number}, which nobody else sees yet."


def _refused(note: Refused, *, guarded: bool) -> str:
    after = note.conflict.after
    if guarded:
        met = f"Conflict: the guard finds #{note.conflict.sequence_number}, which came after #{after}."
        return f"{met} Rolls back, and starts again."
    return f"Conflict: the maximum is beyond #{after}. Inserts nothing, and starts again."


def line_of(rung: Rung, ladder: Ladder) -> Line:
    """A rung as the page shows it."""
    cells = tuple(
        Cell(
            ladder.names[who],
            tuple(said(note, ladder, who) for note in rung.notes[who]),
            "holds" if who in rung.holding else "held" if rung.held is who else "",
        )
        for who in Who
    )
    committed = (note.event for who in Who for note in rung.notes[who] if isinstance(note, Committed))
    return Line(title_of(ladder, rung.move), cells, tuple(committed))


def choices(ladder: Ladder) -> list[Choice]:
    """What can come next, session by session."""
    coming = {move.who: move for move in ladder.possible}
    return [
        Choice(ladder.names[who], title_of(ladder, coming[who]), _address(ladder, (*ladder.moves, coming[who])))
        if who in coming
        else Choice(ladder.names[who], words=f"{state_of(ladder, who)}.")
        for who in Who
    ]


def verdict(ladder: Ladder) -> str:
    """Who has the copy, as the log has it."""
    if ladder.objections:
        return f"{len(ladder.got)} readers have the same copy."
    if not ladder.is_complete:
        return ""
    return "One reader got the copy, the other was told. The log was audited: nothing in it could not have happened."


def _address(ladder: Ladder, moves: tuple[Move, ...]) -> str:
    return _address_of(written(moves), guarded=ladder.guarded)


def _address_of(steps: str, *, guarded: bool) -> str:
    values: dict[str, Any] = {"naive": None if guarded else "yes", "steps": steps or None}
    return url_for("race_steps.steps", **values)


def _page(guarded: bool, *, has_lab: bool = True, refused: str = "", ladder: Ladder | None = None) -> str:
    context: dict[str, Any] = {}
    if ladder is not None:
        context = {
            "lines": [line_of(rung, ladder) for rung in ladder.rungs],
            "choices": choices(ladder),
            "verdict": verdict(ladder),
            "back": _address(ladder, ladder.moves[:-1]) if ladder.rungs else "",
        }
    return render_template(
        "glass/race_steps.html",
        **context,
        has_lab=has_lab,
        guarded=guarded,
        refused=refused,
        ladder=ladder,
        begin=_address_of("", guarded=guarded),
        other=_address_of("", guarded=not guarded),
        ready=[
            (each.title, _address_of(each.guarded, guarded=True), _address_of(each.naive, guarded=False))
            for each in READY_SCHEDULES
        ],
    )
