"""Appends of one process that would wait for each other go together: the mechanism alone, without a database."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from eventstore import InvalidEvent, StoreUnavailable
from eventstore.postgres import group_commit
from eventstore.postgres.group_commit import MOST_TOGETHER, GroupCommit

PATIENCE = 60
"""Seconds after which a test that hangs fails."""


class Database:
    """Answers a request with itself in capitals, once it is let. Remembers what came together."""

    def __init__(self) -> None:
        self.together: list[tuple[str, ...]] = []
        self.failing: Callable[[Sequence[str]], None] = lambda _: None
        self.under_way = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)

    def send(self, requests: Sequence[str]) -> list[str]:
        self.under_way.release()
        assert self.let_go.acquire(timeout=PATIENCE)
        self.together.append(tuple(requests))
        self.failing(requests)
        return [request.upper() for request in requests]


class Line:
    """Threads that line up one after the other behind a request that is under way."""

    def __init__(self, database: Database, may_join: Callable[[str, str], bool] = lambda *_: True) -> None:
        self.database = database
        self.commit = GroupCommit(database.send, may_join, most_under_way=1)
        self.threads = ThreadPoolExecutor(2 * MOST_TOGETHER + 2)

    def first(self, request: str) -> "Future[str]":
        """Nobody is under way: it goes at once."""
        sent = self.threads.submit(self.commit.send, request)
        assert self.database.under_way.acquire(timeout=PATIENCE)
        return sent

    def behind(self, *requests: str) -> "list[Future[str]]":
        """They line up in this order."""
        return [self._line_up(request) for request in requests]

    def _line_up(self, request: str) -> "Future[str]":
        length = len(self.commit._line)
        sent = self.threads.submit(self.commit.send, request)
        pause = threading.Event()
        while len(self.commit._line) == length:
            pause.wait(0.001)
        return sent

    def let_all_go(self) -> None:
        """Nobody waits for permission any more."""
        self.database.let_go.release(10_000)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)


def answers(*sent: "Future[str]") -> list[str | BaseException | None]:
    return [future.exception(PATIENCE) or future.result() for future in sent]


def test_who_finds_nobody_under_way_goes_alone(database: Database, line: Line) -> None:
    line.let_all_go()
    assert [line.commit.send("a"), line.commit.send("b")] == ["A", "B"]
    assert database.together == [("a",), ("b",)]


def test_a_second_one_goes_while_the_first_is_under_way_and_a_third_lines_up(database: Database) -> None:
    line = Line(database)
    line.commit = GroupCommit(database.send, lambda *_: True)
    first, second = line.first("a"), line.first("b")
    others = line.behind("c", "d")
    line.let_all_go()
    assert answers(first, second, *others) == ["A", "B", "C", "D"]
    assert {("a",), ("b",)} <= set(database.together)
    assert sorted(each for together in database.together for each in together) == ["a", "b", "c", "d"]


def test_those_who_came_meanwhile_go_together_in_the_order_in_which_they_came(database: Database, line: Line) -> None:
    first = line.first("a")
    others = line.behind("b", "c", "d")
    line.let_all_go()
    assert answers(first, *others) == ["A", "B", "C", "D"]
    assert database.together == [("a",), ("b", "c", "d")]


def test_nobody_is_answered_before_the_transaction_is_over(database: Database, line: Line) -> None:
    first = line.first("a")
    others = line.behind("b", "c")
    database.let_go.release()
    assert answers(first) == ["A"]
    assert database.under_way.acquire(timeout=PATIENCE)
    assert not any(future.done() for future in others)
    line.let_all_go()
    assert answers(*others) == ["B", "C"]


def test_who_may_not_join_leads_the_next(database: Database) -> None:
    line = Line(database, may_join=lambda leading, request: request.islower() and leading.islower())
    first = line.first("a")
    others = line.behind("b", "c", "X", "d", "Y")
    line.let_all_go()
    assert answers(first, *others) == ["A", "B", "C", "X", "D", "Y"]
    assert database.together == [("a",), ("b", "c"), ("X",), ("d",), ("Y",)]


def test_a_transaction_has_a_bounded_length(database: Database, line: Line) -> None:
    first = line.first("a")
    others = line.behind(*[str(number) for number in range(MOST_TOGETHER + 1)])
    line.let_all_go()
    answers(first, *others)
    assert [len(together) for together in database.together] == [1, MOST_TOGETHER, 1]


def test_what_is_wrong_with_one_is_told_to_that_one_alone(database: Database, line: Line) -> None:
    def refuse(requests: Sequence[str]) -> None:
        if "bad" in requests:
            raise InvalidEvent("bad")

    database.failing = refuse
    first = line.first("a")
    before, bad, after = line.behind("b", "bad", "c")
    line.let_all_go()
    assert answers(first, before, after) == ["A", "B", "C"]
    with pytest.raises(InvalidEvent, match="bad"):
        bad.result(PATIENCE)
    assert database.together == [("a",), ("b", "bad", "c"), ("b",), ("bad",), ("c",)]


@pytest.mark.parametrize("outcome_unknown", [True, False])
def test_a_transaction_that_fails_fails_for_all_of_it_and_for_nobody_else(
    database: Database, line: Line, outcome_unknown: bool
) -> None:
    cause = OSError("the cable")

    def lose(requests: Sequence[str]) -> None:
        if "b" in requests:
            raise StoreUnavailable("gone", outcome_unknown=outcome_unknown) from cause

    database.failing = lose
    first = line.first("a")
    together = line.behind("b", "c")
    line.let_all_go()
    assert answers(first) == ["A"]
    lost = answers(*together)
    for error in lost:
        assert isinstance(error, StoreUnavailable)
        assert (str(error), error.outcome_unknown, error.__cause__) == ("gone", outcome_unknown, cause)
    assert lost[0] is not lost[1]
    assert database.together == [("a",), ("b", "c")]
    assert line.commit.send("d") == "D"


def test_who_goes_alone_is_told_the_very_error(database: Database, line: Line) -> None:
    gone = StoreUnavailable("gone", outcome_unknown=False)

    def lose(_: Sequence[str]) -> None:
        raise gone

    database.failing = lose
    line.let_all_go()
    with pytest.raises(StoreUnavailable) as told:
        line.commit.send("a")
    assert told.value is gone


def test_when_the_one_who_leads_is_interrupted_nobody_hangs(database: Database, line: Line) -> None:
    def interrupt(requests: Sequence[str]) -> None:
        if "b" in requests:
            raise KeyboardInterrupt

    database.failing = interrupt
    first = line.first("a")
    leads, follows = line.behind("b", "c")
    line.let_all_go()
    assert answers(first) == ["A"]
    assert isinstance(leads.exception(PATIENCE), KeyboardInterrupt)
    left = follows.exception(PATIENCE)
    assert isinstance(left, StoreUnavailable)
    assert left.outcome_unknown
    assert line.commit.send("d") == "D"


def test_when_it_is_interrupted_going_through_them_one_by_one_nobody_hangs(database: Database, line: Line) -> None:
    def refuse_then_interrupt(requests: Sequence[str]) -> None:
        if len(requests) > 1:
            raise InvalidEvent("one of them")
        if requests == ["c"]:
            raise KeyboardInterrupt

    database.failing = refuse_then_interrupt
    first = line.first("a")
    leads, interrupted, never_sent = line.behind("b", "c", "d")
    line.let_all_go()
    assert answers(first) == ["A"]
    assert isinstance(leads.exception(PATIENCE), KeyboardInterrupt)
    for left in answers(interrupted, never_sent):
        assert isinstance(left, StoreUnavailable)
        assert left.outcome_unknown
    assert line.commit.send("e") == "E"


def test_who_is_interrupted_in_the_line_leaves_it(
    database: Database, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, interrupt = threading.Event(), threading.Event()

    class Interrupted:
        """A lock of a thread to which Ctrl-C comes while it waits."""

        def acquire(self) -> None:
            waits.set()
            assert interrupt.wait(PATIENCE)
            raise KeyboardInterrupt

        def release(self) -> None:
            """Somebody hands over to this thread at the very same moment."""

    first = line.first("a")
    with monkeypatch.context() as patch:
        patch.setattr(group_commit, "_held_lock", Interrupted)
        [gives_up] = line.behind("b")
        assert waits.wait(PATIENCE)
    [other] = line.behind("c")
    interrupt.set()
    assert isinstance(gives_up.exception(PATIENCE), KeyboardInterrupt)
    line.let_all_go()
    assert answers(first, other) == ["A", "C"]
    assert database.together == [("a",), ("c",)]


def test_who_is_interrupted_just_when_it_should_lead_lets_the_next_lead(
    database: Database, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over = threading.Event()

    class Interrupted:
        def acquire(self) -> None:
            assert handed_over.wait(PATIENCE)
            raise KeyboardInterrupt

        def release(self) -> None:
            handed_over.set()

    first = line.first("a")
    with monkeypatch.context() as patch:
        patch.setattr(group_commit, "_held_lock", Interrupted)
        [gives_up] = line.behind("b")
    [other] = line.behind("c")
    line.let_all_go()
    assert answers(first, other) == ["A", "C"]
    assert isinstance(gives_up.exception(PATIENCE), KeyboardInterrupt)
    assert database.together == [("a",), ("c",)]


def test_under_load_with_failures_everybody_gets_their_own_answer() -> None:
    chance = random.Random(7)
    sent: list[str] = []

    def send(requests: Sequence[str]) -> list[str]:
        if len(requests) > 1 and chance.random() < 0.1:
            raise InvalidEvent("one of them")
        if chance.random() < 0.1:
            raise StoreUnavailable("gone", outcome_unknown=False)
        sent.extend(requests)
        return [request.upper() for request in requests]

    commit = GroupCommit(send, lambda *_: True)

    def work(name: str) -> list[str]:
        done: list[str] = []
        for number in range(200):
            try:
                assert commit.send(f"{name}{number}") == f"{name}{number}".upper()
            except StoreUnavailable:
                continue
            done.append(f"{name}{number}")
        return done

    with ThreadPoolExecutor(16) as threads:
        done = [
            future.result(PATIENCE) for future in [threads.submit(work, f"{letter}-") for letter in "abcdefghijklmnop"]
        ]
    assert sorted(sent) == sorted(request for of_one in done for request in of_one)
    for of_one in done:
        assert [request for request in sent if request in set(of_one)] == of_one
