"""How a person gives a command: a form that keeps what was typed, and says what happened or what is wrong."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from slices.command_loop import TooMuchContention
from slices.decision import Reject
from slices.fields import Body, Id, hashed
from slices.grounds import NO_GROUNDS, Grounds
from slices.last_write import remember
from slices.origin import Origin
from slices.outcome import Outcome
from slices.paging import fitting
from slices.web import CommandEdge, Fields, Handle, Make

C = TypeVar("C")

MOST_CHOICES: Final = 200
"""Names that people are shown to pick from; beyond that they look for the one they mean."""

_NOT_OF_THE_COMMAND: Final = {"csrf_token", "next", "find"}
_FIND: Final = "find-"
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")


@dataclass(frozen=True, slots=True)
class Page(Generic[C]):
    """What differs from form to form.

    Attributes:
        address: of the form; it is posted to the same address.
        template: extends "command_form.html".
        done: what to tell when something was written.
        nothing: what to tell when it is the case already.
        then: the page that shows the result.
    """

    address: str
    template: str
    done: str
    nothing: str
    then: Callable[[C], str]

    @property
    def look(self) -> str:
        """The address that leads to what the command would be decided on."""
        return f"{self.address}/boundary"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the form comes back although every field is right.

    Attributes:
        text: in plain words.
        events: the numbers of the events that put the refusal on record.
        grounds: the events that it follows from.
        went: how the command got there; None if nothing was decided.
    """

    text: str
    events: Sequence[int] = ()
    grounds: Grounds = NO_GROUNDS
    went: "Went | None" = None


Went: TypeAlias = dict[str, Any]
"""How a command went, as pages tell it: milliseconds of each step, the number of attempts, what came
between, and the address of the page that shows what was decided on."""

Errors: TypeAlias = dict[str, list[str]]
"""What is wrong with each field, by its key."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What people can pick for an id.

    Attributes:
        named: the name of each, by the id.
        typed: what they look for.
        found: how many fit to that.
        is_long: whether there are so many that one has to look for them.
    """

    named: Mapping[str, str]
    typed: str
    found: int
    is_long: bool

    @property
    def only(self) -> str:
        """The id that was looked for, if nothing else fits."""
        return list(self.named)[-1] if self.typed and self.found == 1 else ""

    @classmethod
    def of(cls, everything: Mapping[str, str], typed: str, chosen: str) -> "Choices":
        """The first that fit to what was typed, and what was chosen before."""
        found = fitting(everything.items(), typed, " ".join)
        before = [(chosen, everything[chosen])] if chosen in everything else []
        return cls(dict(before + found[:MOST_CHOICES]), typed, len(found), len(everything) > MOST_CHOICES)


@dataclass(frozen=True, slots=True)
class CommandForm(Generic[C]):
    """One form: shown, and submitted."""

    page: Page[C]
    body: Body
    make: Make[C]
    handle: Handle[C]
    edge: CommandEdge

    def show(self) -> str:
        """The empty form; arguments of the address fill fields in.

        An id that may be left out is chosen here already: who submits a form twice gives one command twice.
        """
        new_id = self.edge.origin().new_id
        chosen = {key: new_id for key, field in self._fields().items() if isinstance(field, Id) and not field.required}
        return self._render(chosen | {key: request.args[key] for key in self._fields() if key in request.args})

    def submit(self) -> ResponseReturnValue:
        """Carry the command out, or show the form again with what is in the way, or with what was looked for."""
        if "find" in request.form:
            return self._render(_typed())
        origin = self.edge.origin()
        try:
            command = self._command(origin)
        except ValidationError as error:
            return self._refused(error)
        try:
            outcome = self.handle(command, origin)
        except TooMuchContention:
            busy = Refusal("Too many people want the same at this moment. Nothing was changed; please try again.")
            return self._render(_typed(), refusal=busy), 503
        remember(outcome)
        went = _went(outcome, request.script_root + self.edge.decision_page(command, outcome))
        if isinstance(outcome.decision, Reject):
            grounds = self.edge.grounds(command, outcome)
            refusal = Refusal(outcome.decision.reason.message, _numbers(outcome), grounds, went)
            return self._render(_typed(), refusal=refusal), 409
        self._tell(outcome, went)
        return redirect(_local_path(request.form.get("next")) or request.script_root + self.page.then(command), 303)

    def look(self) -> ResponseReturnValue:
        """Lead to what the command would be decided on. Nothing is carried out."""
        try:
            command = self._command(self.edge.origin())
        except ValidationError as error:
            return self._refused(error)
        return redirect(request.script_root + self.edge.decision_page(command), 303)

    def _command(self, origin: Origin) -> C:
        """What was typed, as a command. Raises ValidationError."""
        sent: Fields = self.body.load({key: value for key, value in _typed().items() if value.strip()})  # pyright: ignore
        return self.make(hashed(self.body, sent, self.edge.keyed_hash), self.edge.now(), origin)

    def _refused(self, error: ValidationError) -> ResponseReturnValue:
        errors = cast("Errors", error.messages)  # pyright: ignore[reportUnknownMemberType]
        return self._render(_typed(), errors=errors), 422

    def _choices(self, values: Mapping[str, str]) -> dict[str, Choices]:
        """For every id that people have to give: what they can pick from."""
        picked = [key for key, field in self._fields().items() if isinstance(field, Id) and field.required]
        looked_for = {key: request.form.get(f"{_FIND}{key}", "").strip() for key in picked}
        return {key: Choices.of(self.edge.choices(key), looked_for[key], values.get(key, "")) for key in picked}

    def _render(self, values: dict[str, str], *, errors: Errors | None = None, refusal: Refusal | None = None) -> str:
        choices = self._choices(values)
        only = {key: choice.only for key, choice in choices.items()}
        return render_template(
            self.page.template,
            values={key: values.get(key) or only.get(key, "") for key in self._fields()},
            errors=errors or {},
            choices=choices,
            refusal=refusal,
            next=_local_path(request.values.get("next")),
            look=request.script_root + self.page.look,
        )

    def _tell(self, outcome: Outcome, went: Went) -> None:
        numbers = _numbers(outcome)
        notice = {"text": self.page.done if numbers else self.page.nothing, "events": numbers, "went": went}
        # Flask keeps any JSON value, whatever its annotation says.
        flash(cast("str", notice), "written" if numbers else "nothing")

    def _fields(self) -> dict[str, Any]:
        fields = cast("dict[str, Any]", self.body.fields)  # pyright: ignore[reportUnknownMemberType]
        return {field.data_key: field for field in fields.values()}


def _typed() -> dict[str, str]:
    own = {key: value for key, value in request.form.items() if key not in _NOT_OF_THE_COMMAND}
    return {key: value for key, value in own.items() if not key.startswith(_FIND)}


def _numbers(outcome: Outcome) -> list[int]:
    return [event.sequence_number for event in outcome.events]


def _went(outcome: Outcome, why: str) -> Went:
    report = outcome.report
    steps = {"query": report.querying, "decide": report.deciding, "append": report.appending}
    return {
        "attempts": len(report.attempts),
        "steps": [(step, round(seconds * 1000, 2)) for step, seconds in steps.items()],
        "between": [(conflict.sequence_number, conflict.event_type) for conflict in report.conflicts],
        "why": why,
    }


def _local_path(text: str | None) -> str | None:
    return text if text and _LOCAL_PATH.fullmatch(text) else None
