"""Group commit: appends of one process that would only wait for each other are sent together, as one transaction.

All appends of a table take one lock, and the next can begin only when the last is on disk. So while two are under way,
one at work and one on its way, the others line up here instead of in the database. When one is answered, the thread
that has waited longest leads, and sends all that have lined up:

    thread A  ── alone ──────────►│ answered
    thread B    ── alone ─────────┼─────────►│ answered
    thread C        lines up ·····│── leads: C, D and E, one transaction ──►│ all three answered
    thread D          lines up ···│·········································│
    thread E            lines up ·│·········································│
    thread F                              lines up ·· leads …

Each keeps its own condition, result and error, and those of a group are carried out in the order in which they came.
Whoever finds less than two under way pays nothing but an uncontended lock.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from eventstore.errors import StoreUnavailable

Q = TypeVar("Q")
A = TypeVar("A")

MOST_UNDER_WAY: Final = 2
"""One at work in the database, and one on its way there or back."""
MOST_TOGETHER: Final = 64
"""Requests of one transaction: others may be waiting for the lock that it holds."""


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Q, A]):
    """A request that has lined up, and what became of it.

    Attributes:
        turn: held until the request is answered, or its thread has to lead.
        leads: the latter.
        answer, error: one of them is given when the request is answered.
    """

    request: Q
    turn: threading.Lock
    leads: bool = False
    answer: A | None = None
    error: BaseException | None = None


class GroupCommit(Generic[Q, A]):
    """Lets few threads at a time send, and the others line up.

    >>> appends = GroupCommit(lambda requests: [request.upper() for request in requests], lambda leading, request: True)
    >>> appends.send("a")  # from many threads
    'A'

    Args:
        send: sends requests as one transaction, and returns their answers in order, after it was committed. It raises
            `StoreUnavailable` if that cannot have been because of a single one of them.
        may_join: whether a request (the second) may be sent together with that of the thread that leads (the first).
        most_under_way: how many threads send at a time.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Q]], Sequence[A]],
        may_join: Callable[[Q, Q], bool],
        most_under_way: int = MOST_UNDER_WAY,
    ) -> None:
        self._send = send
        self._may_join = may_join
        self._mutex = threading.Lock()
        self._free = most_under_way
        self._line: deque[_Waiting[Q, A]] = deque()

    def send(self, request: Q) -> A:
        """Send a request, alone or together with others, and return its own answer.

        Raises:
            StoreUnavailable: the transaction failed, for all that were sent together. With `outcome_unknown` nobody
                knows what became of any of them.
            Exception: whatever else this request is to blame for. Others that were sent with it are not.
        """
        with self._mutex:
            if self._free:
                self._free -= 1
                mine = None
            else:
                mine = _Waiting[Q, A](request, _held_lock())
                self._line.append(mine)
        if mine is None:
            try:
                return self._send((request,))[0]
            finally:
                self._next_leads()
        return self._wait(mine)

    def _wait(self, mine: _Waiting[Q, A]) -> A:
        try:
            mine.turn.acquire()
        except BaseException:  # Ctrl-C in a thread that waits
            self._give_up(mine)
            raise
        if mine.leads:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.answer is not None
        return mine.answer

    def _give_up(self, mine: _Waiting[Q, A]) -> None:
        """Leave the line. Who was sent already is answered by the leader, and nobody listens."""
        with self._mutex:
            if mine in self._line:
                self._line.remove(mine)
        if mine.leads:
            self._next_leads()

    def _lead(self, mine: _Waiting[Q, A]) -> None:
        group = [mine]
        try:
            with self._mutex:
                while self._line and len(group) < MOST_TOGETHER and self._may_join(mine.request, self._line[0].request):
                    group.append(self._line.popleft())
            self._carry_out(group)
        finally:
            self._next_leads()
            for each in group[1:]:
                if each.answer is None and each.error is None:  # Ctrl-C in this thread
                    each.error = StoreUnavailable("the thread that sent it was interrupted", outcome_unknown=True)
                each.turn.release()

    def _carry_out(self, group: Sequence[_Waiting[Q, A]]) -> None:
        try:
            for each, answer in zip(group, self._send([each.request for each in group]), strict=True):
                each.answer = answer
        except StoreUnavailable as error:
            for each in group:  # one exception in several threads would mix up their tracebacks
                each.error = StoreUnavailable(str(error), outcome_unknown=error.outcome_unknown)
                each.error.__cause__ = error.__cause__
        except Exception as error:  # noqa: BLE001 (each thread raises its own)
            if len(group) == 1:
                group[0].error = error
            else:  # because of one of them, and nothing was written: it fails alone
                for each in group:
                    self._carry_out([each])

    def _next_leads(self) -> None:
        with self._mutex:
            if not self._line:
                self._free += 1
                return
            longest_waiting = self._line.popleft()
            longest_waiting.leads = True
        longest_waiting.turn.release()


def _held_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
