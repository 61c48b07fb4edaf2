"""Actors take their steps one after the other, and after each step somebody waits until all have settled.

An actor has *settled* when it has finished its step, or is held at a gate, or waits for somebody who is held. All three
are facts of the server, not of the clock: nothing changes any more until the next step. The clock only turns a hang
into an error that says who waits for whom.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from eventstore.testing.gates import Backend, Gate, Gates
from eventstore.testing.timeline import Timeline

_T = TypeVar("_T")
_PAUSE: Final = 0.002


class Stuck(Exception):
    """Somebody neither comes to an end nor waits for a session that is held on purpose."""


@dataclass(slots=True, eq=False)
class Actor:
    """Whoever takes steps.

    Attributes:
        name: a letter.
        work: the step that has not been seen to end yet.
        words: how the outcome of this step is drawn.
        closed: the gate that is closed for it.
        in_transaction: it keeps a transaction open between its steps, so others may have to wait for it.
    """

    name: str
    work: "Future[Any] | None" = None
    words: Callable[[], str] = str
    closed: Gate | None = None
    in_transaction: bool = False
    drawn_last: str = ""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Who was done, and, looked at after that, what the server knew about all connections."""

    done: frozenset[str]
    backends: tuple[Backend, ...]
    kit: int

    def of(self, name: str) -> list[Backend]:
        return [backend for backend in self.backends if backend.session == name]

    def is_held(self, name: str) -> bool:
        return any(self.kit in backend.blocked_by for backend in self.of(name))

    def blockers(self, name: str) -> list[str]:
        pids = frozenset[int]().union(*(backend.blocked_by for backend in self.of(name)))
        return sorted({backend.session for backend in self.backends if backend.pid in pids})

    def drawn(self, name: str) -> set[int]:
        return {number for backend in self.of(name) for number in backend.drawn}

    def __str__(self) -> str:
        names = {backend.pid: backend.session for backend in self.backends} | {self.kit: "the kit"}
        sentences: list[str] = []
        for backend in self.backends:
            waits = in_words(f"{names.get(pid, 'a stranger')} ({pid})" for pid in backend.blocked_by)
            what = f"waits for {waits}" if waits else backend.doing
            sentences.append(f"{backend.session} ({backend.pid}) {what}")
        return "; ".join(sentences) or "nobody is connected"


class Interleaving:
    """Several actors, one step at a time.

    Args:
        gates: what holds the actors.
        patience: seconds after which somebody who has not settled is reported as stuck.
    """

    def __init__(self, gates: Gates, patience: float) -> None:
        self.timeline = Timeline()
        self._gates = gates
        self._patience = patience
        self._actors: dict[str, Actor] = {}

    def enter(self, actor: Actor) -> None:
        """Wait for this actor, too, from now on."""
        self._actors[actor.name] = actor

    def close(self, actor: Actor, gate: Gate | None) -> None:
        """Hold the actor at this place, when it gets there, and nowhere else."""
        previous, actor.closed = actor.closed, gate
        if gate is not None:
            self._gates.close(actor.name, gate)
        if previous is not None:
            self._gates.open(actor.name, previous)

    def begin(
        self, actor: Actor, step: str, work: Callable[[], _T], words: "Callable[[Future[_T]], str]"
    ) -> "Future[_T]":
        """Let the actor do something in the background, wait until all have settled, and return what it will come to.

        Args:
            actor: who does it; its last step must be finished.
            step: what it does, for the drawing.
            work: what it does.
            words: what came of it, for the drawing.

        Raises:
            Stuck: somebody does not settle.
        """
        assert actor.work is None, f"{actor.name} has not finished its last step"
        future = in_background(work)
        actor.work, actor.words = future, lambda: words(future)
        self.settle(actor, step)
        return future

    def resume(self, actor: Actor, until: Gate | None) -> None:
        """Let the actor go on to the end, or to the next gate."""
        self.close(actor, until)
        self.settle(actor)

    def kill(self, actor: Actor) -> None:
        """End the actor's connections, and wait until it has noticed and all others have settled."""
        self._gates.terminate(actor.name)
        self._wait(lambda moment: [actor.name] if actor.name not in moment.done else [], "does not notice its end")
        self.settle(actor)

    def settle(self, actor: Actor, step: str = "") -> None:
        """Wait until all have settled, and draw what has become of each, of the acting one first."""
        complaint = "neither ends its step nor waits for a session that is held"
        self._wait(self._unsettled, complaint)
        # Within one look the server tells of one session earlier than of the next. What a second look says is final.
        moment = self._wait(self._unsettled, complaint)
        for one in sorted(self._actors.values(), key=lambda one: (one is not actor, one.name)):
            if one.work is not None:
                self._draw(one, moment, step if one is actor else "")

    def end(self) -> None:
        """Open all gates and wait until everybody is done.

        Raises:
            Stuck: somebody does not come to an end.
        """
        self._gates.open_all()
        self._wait(self._working, "does not come to an end")

    def abandon(self) -> None:
        """End the connections of everybody who is still doing something, so that nobody hangs who is stuck."""
        self._gates.open_all()
        for name in self._working(self._look()):
            self._gates.terminate(name)
        wait([actor.work for actor in self._actors.values() if actor.work is not None], self._patience)

    def _wait(self, waited_for: Callable[[_Moment], list[str]], complaint: str) -> _Moment:
        deadline = time.monotonic() + self._patience
        pause = threading.Event()
        while names := waited_for(moment := self._look()):
            if time.monotonic() > deadline:
                raise Stuck(f"{in_words(names)} {complaint}, for {self._patience:g} s now: {moment}")
            pause.wait(_PAUSE)
        return moment

    def _look(self) -> _Moment:
        done = frozenset(actor.name for actor in self._actors.values() if actor.work is None or actor.work.done())
        return _Moment(done, tuple(self._gates.backends()), self._gates.pid)

    def _working(self, moment: _Moment) -> list[str]:
        return [name for name in self._actors if name not in moment.done]

    def _unsettled(self, moment: _Moment) -> list[str]:
        return [
            name
            for name in self._working(moment)
            if not moment.is_held(name) and not self._waits_for_held(name, moment, frozenset())
        ]

    def _waits_for_held(self, name: str, moment: _Moment, asked: frozenset[str]) -> bool:
        """True if it waits, perhaps by way of others, for somebody who is held or keeps a transaction open."""
        return any(
            (self._actors[blocker].in_transaction and blocker in moment.done)
            or moment.is_held(blocker)
            or self._waits_for_held(blocker, moment, asked | {name})
            for blocker in moment.blockers(name)
            if blocker not in asked | {name}
        )

    def _draw(self, actor: Actor, moment: _Moment, step: str) -> None:
        drawn = moment.drawn(actor.name)
        draws = f"draws {in_words(drawn)}, " if drawn else ""
        is_done = actor.name in moment.done
        if is_done:
            text = draws * actor.in_transaction + actor.words()
        elif moment.is_held(actor.name):
            text = f"{draws}held {actor.closed}"
        else:
            text = f"waits for {in_words(moment.blockers(actor.name))}"
        if step or text != actor.drawn_last:
            waits = not is_done or actor.in_transaction
            self.timeline.add(actor.name, f"{step} → {text}" if step else text, pending=waits)
        actor.drawn_last = text
        if is_done:
            actor.work, actor.drawn_last = None, ""


def in_words(things: Iterable[object]) -> str:
    """The things in order: "A", "A and B", "9, 10 and 11", "1…1001"."""
    ordered = [str(thing) for thing in things]
    ordered.sort(key=lambda text: (len(text), text))
    if len(ordered) > 5:
        return f"{ordered[0]}…{ordered[-1]}"
    return " and ".join(filter(None, [", ".join(ordered[:-1]), *ordered[-1:]]))


def in_background(work: Callable[[], _T]) -> "Future[_T]":
    """Run something in a thread that does not keep the program alive if it never ends."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # whatever it is, whoever waits for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
