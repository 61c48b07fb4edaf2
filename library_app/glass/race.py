"""`/glass/race`: the race lab. The answer to the form is the result itself: no process has to keep it for another."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, cast

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from library_app.glass.events import ShownEvent
from library_app.glass.race_picture import MARKS, ROW, STEPS, Picture, outcome_of
from library_app.race import FEWEST_RACERS, MOST_RACERS, RaceKind, RaceLab, Racer, RaceResult
from library_app.race.gate import PAUSE, Gate, GateClosed
from slices.decision import Reject
from slices.fields import WholeNumber

KINDS: Final = {
    RaceKind.ONE_COPY: "one copy",
    RaceKind.LAST_SEAT: "the last seat of a course",
    RaceKind.NO_CONFLICT: "no conflict: a copy for everybody",
}
_SUGGESTED: Final = {"kind": str(RaceKind.ONE_COPY), "racers": "20"}
_KEYS: Final = ("kind", "racers", "naive")


class RaceForm(Schema):
    """What can be chosen."""

    class Meta:
        """Form fields of the application itself are not ours."""

        unknown: ClassVar[str] = EXCLUDE

    kind = fields.String(
        required=True,
        validate=validate.OneOf([str(kind) for kind in RaceKind], error="Not one of the races on offer."),
        error_messages={"required": "This is needed."},
    )
    racers = WholeNumber(FEWEST_RACERS, MOST_RACERS)
    naive = fields.Boolean(load_default=False, error_messages={"invalid": "Either on or off."})


@dataclass(frozen=True, slots=True)
class Row:
    """A racer in the table.

    Attributes:
        outcome: in words.
        won: got what all wanted.
        event: the number of the event that says so, in the lab's log; None if nothing was written.
    """

    name: str
    racer_id: str
    attempts: int
    outcome: str
    won: bool
    event: int | None
    milliseconds: float

    @classmethod
    def of(cls, racer: Racer) -> "Row":
        """What a table shows of a racer."""
        refused = isinstance(racer.decision, Reject)
        return cls(
            name=racer.name,
            racer_id=racer.racer_id,
            attempts=len(racer.report.attempts),
            outcome=racer.decision.reason.message if isinstance(racer.decision, Reject) else MARKS[outcome_of(racer)],
            won=not refused and bool(racer.events),
            event=racer.events[-1].sequence_number if racer.events else None,
            milliseconds=round((racer.finished - racer.began) * 1000, 1),
        )


def blueprint(lab: RaceLab | None, clock: Callable[[], datetime]) -> Blueprint:
    """The routes.

    Args:
        lab: where races are run; None if there is no database to race on.
        clock: the current time, for the pause between races.
    """
    routes = Blueprint("race", __name__)
    gate = Gate(clock)

    @routes.get("/glass/race")
    def race() -> str:
        return _page(lab, _SUGGESTED)

    @routes.post("/glass/race")
    def run() -> ResponseReturnValue:
        given = {key: request.form[key].strip() for key in _KEYS if request.form.get(key, "").strip()}
        if lab is None:
            return _page(lab, given), 503
        try:
            chosen = cast("dict[str, Any]", RaceForm().load(given))
        except ValidationError as refused:
            return _page(lab, given, errors=cast("Any", refused).messages), 422
        try:
            with gate.passed():
                result = lab.run(RaceKind(chosen["kind"]), chosen["racers"], guarded=not chosen["naive"])
        except GateClosed as closed:
            return _page(lab, given, closed=str(closed)), 503, {"Retry-After": str(PAUSE.seconds)}
        return _page(
            lab,
            given,
            result=result,
            verdict=verdict(result),
            story=story(result),
            picture=Picture.of(result),
            rows=[Row.of(racer) for racer in result.racers],
            got=[ShownEvent.of(event) for event in result.got],
            names={racer.racer_id: racer.name for racer in result.racers},
        )

    return routes


def story(result: RaceResult) -> str:
    """The race in a sentence. Who got it is read from the log.

    >>> story(result)
    '20 readers wanted copy …4f1c2a, 1 got it, 19 were told who has it.'
    """
    wanted, got = len(result.racers), len(result.got)
    told = sum(isinstance(racer.decision, Reject) for racer in result.racers)
    gave_up = wanted - sum(racer.decision is not None for racer in result.racers)
    match result.kind:
        case RaceKind.ONE_COPY:
            parts = [f"{wanted} readers wanted copy …{result.prize[-6:]}, {got} got it", _were(told, "told who has it")]
        case RaceKind.LAST_SEAT:
            wish = f"{wanted} students wanted the last seat of course …{result.prize[-6:]}, {got} got it"
            parts = [wish, _were(told, "told that the course is full")]
        case RaceKind.NO_CONFLICT:
            parts = [f"{wanted} readers wanted a copy each, every one another, and {got} got theirs"]
    return ", ".join([*filter(None, parts), *([f"{gave_up} gave up"] if gave_up else [])]) + "."


def _were(number: int, participle: str) -> str:
    return f"{number} {'was' if number == 1 else 'were'} {participle}" if number else ""


def verdict(result: RaceResult) -> str:
    """What the audit of the log says, in a sentence."""
    if not result.objections:
        return "The log was audited: nothing in it could not have happened."
    if result.kind is RaceKind.LAST_SEAT:
        return f"{len(result.got)} students have the same seat."
    if result.kind is RaceKind.ONE_COPY:
        return f"{len(result.got)} readers have the same copy."
    return "The log holds what could not have happened."


def _page(lab: RaceLab | None, values: dict[str, str], **context: Any) -> str:
    defaults: dict[str, Any] = {"errors": {}, "result": None, "closed": ""}
    return render_template(
        "glass/race.html",
        **{**defaults, **context},
        has_lab=lab is not None,
        values=values,
        kinds=[(str(kind), words) for kind, words in KINDS.items()],
        fewest=FEWEST_RACERS,
        most=MOST_RACERS,
        row=ROW,
        steps=STEPS,
        mark_words=MARKS,
    )
