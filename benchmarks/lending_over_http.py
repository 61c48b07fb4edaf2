"""The lend route of the real app under its production server, beside the same command without any web."""

import http.client
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from threading import Lock
from typing import Final

from benchmarks.http_result import REQUEST, TYPICAL_WORKLOAD, LendingOverHttp
from benchmarks.library_log import Library, Pair
from benchmarks.loans import Lending, Loan, check_alone, storable
from benchmarks.sampling import WARM_UP_ROUNDS, Measured, Samples, in_turns
from benchmarks.served_app import LibraryDatabase, ServedApp, served
from benchmarks.server import CannotMeasure
from benchmarks.stretches import Stretch, Stretches, run_together
from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from slices.codec import decode
from slices.command_loop import CommandLoop
from slices.decision import Append
from slices.lending.events import BookCopyLentToReader, BookCopyReturnedByReader
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.origin import Origin
from slices.outcome import Outcome

CLIENTS: Final = (1, 8, 64)

_LEND: Final = "/api/lending/lend-book-to-reader"
_HEADERS: Final = {"Content-Type": "application/json"}
_DONE: Final = 201
_TIMEOUT: Final = 30.0
_WARM_UP: Final = 0.5  # seconds: all threads of all workers have answered
_HEAD: Final = FilterBuilder().matching_any_event()
_LOANS_AND_RETURNS: Final = (
    FilterBuilder().matching().any_event_type_of(BookCopyLentToReader.TYPE, BookCopyReturnedByReader.TYPE).finalize()
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        rounds: requests of a single client, in turns with the command called directly.
        clients: how many at once, each number in turn.
        repetitions: of each stretch.
        seconds: of each stretch.
    """

    rounds: int = 500
    clients: tuple[int, ...] = CLIENTS
    repetitions: int = 3
    seconds: float = 2.0

    @property
    def steps(self) -> int:
        """Of the progress bar."""
        return WARM_UP_ROUNDS + self.rounds + self.repetitions * len(self.clients)


class Desk:
    """One client with a connection that it keeps.

    Args:
        app: what it talks to.
    """

    def __init__(self, app: ServedApp) -> None:
        self._connection = http.client.HTTPConnection(app.host, app.port, timeout=_TIMEOUT)

    def post(self, route: str, pair: Pair) -> int:
        """Send a command and read the whole answer; its status, or 0 if there is none."""
        body = json.dumps({"BookID": pair.book_id, "ReaderID": pair.reader_id}).encode()
        try:
            self._connection.request("POST", route, body, _HEADERS)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens a new one
            return 0
        return answer.status

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def measure(database: LibraryDatabase, plan: Plan, on_step: Callable[[], object] = lambda: None) -> LendingOverHttp:
    """Serve the app and measure; every copy is back in the end, and the log is what the answers said.

    Args:
        database: made by `library_database`.
        plan: what is measured.
        on_step: is called after each round and each stretch.

    Raises:
        CannotMeasure: the app does not start, or the history has too few copies.
        AssertionError: the log does not hold what was answered.
    """
    library = database.primed.library
    if max(plan.clients) > len(library.books):
        raise CannotMeasure(f"{max(plan.clients)} clients need as many copies, and there are {len(library.books)}")
    with served(database) as app, open_pool(database.dsn, max_size=1) as pool:
        store = PostgresEventStore(pool)
        run = _Run(app, store, library, plan, on_step)
        before = store.query(_HEAD, limit=1).position
        samples = run.by_one()
        for _ in range(plan.repetitions):
            run.by_many()
        run.audit(before)
        return LendingOverHttp(
            events=library.events,
            samples=samples,
            clients={count: Stretches(tuple(stretches)) for count, stretches in run.stretches.items()},
            errors={count: dict(errors) for count, errors in run.errors.items()},
            start_up=app.start_up,
            memory=app.memory_of_workers(),
        )


@dataclass
class _Run:
    app: ServedApp
    store: PostgresEventStore
    library: Library
    plan: Plan
    on_step: Callable[[], object]
    shuffling: random.Random = field(default_factory=random.Random)
    lent: int = 0

    def __post_init__(self) -> None:
        self.stretches: dict[int, list[Stretch]] = {count: [] for count in self.plan.clients}
        self.errors: dict[int, Counter[int]] = {count: Counter() for count in self.plan.clients}
        self._lending = Lending(self.store, self.library, self.shuffling)
        self._handler = LendBookToReaderHandler(CommandLoop(self.store))
        self._left_lent = _still_lent(self.store)

    def by_one(self) -> dict[str, Samples]:
        """A single client, and the same command by a caller that has the store at hand, in turns."""
        desk = Desk(self.app)

        def ask(loan: Loan) -> int:
            return desk.post(_LEND, Pair(loan.command.book_id, loan.command.reader_id))

        def asked(loan: Loan, status: int) -> None:
            if status != _DONE:
                raise CannotMeasure(f"the app answered {status} when a copy was lent that was free")
            self._give_back(loan)

        def handle(loan: Loan) -> Outcome:
            return self._handler.handle(loan.command, Origin.new())

        def handled(loan: Loan, outcome: Outcome) -> None:
            check_alone(isinstance(outcome.decision, Append))
            self._give_back(loan)

        free_loan = self._lending.free_loan
        things = (Measured(REQUEST, free_loan, ask, asked), Measured(TYPICAL_WORKLOAD, free_loan, handle, handled))
        try:
            return in_turns(things, self.plan.rounds, shuffling=self.shuffling, on_round=self.on_step)
        finally:
            desk.close()

    def by_many(self) -> None:
        """A stretch of each number of clients."""
        for count in self.shuffling.sample(self.plan.clients, len(self.plan.clients)):
            season = islice(self.library.pairs(self.shuffling), len(self.library.books))
            wanted = _Wanted([pair for pair in season if pair.book_id not in self._left_lent])
            with ExitStack() as opened:
                opened.callback(self._take_back, wanted.lent)
                clients = [_client(opened, self.app, wanted) for _ in range(count)]
                run_together(clients, min(_WARM_UP, self.plan.seconds))
                self.stretches[count].append(run_together(clients, self.plan.seconds))
            self.errors[count] += wanted.errors
            self.on_step()

    def audit(self, before: int) -> None:
        """Make sure that the log holds each loan that was answered with "done", and no other."""
        changed = _LOANS_AND_RETURNS.after_sequence_number(before)
        found = Counter(event.event_type for event in self.store.stream(changed))
        unknown = sum(errors[0] for errors in self.errors.values())  # whose loan may have been stored
        assert 0 <= found[BookCopyLentToReader.TYPE] - self.lent <= unknown
        assert found[BookCopyReturnedByReader.TYPE] == self.lent

    def _give_back(self, loan: Loan) -> None:
        self._lending.give_back(loan)
        self.lent += 1

    def _take_back(self, pairs: Sequence[Pair]) -> None:
        """Straight into the log: the time is not measured, and nobody else writes."""
        for pair in pairs:
            returned = BookCopyReturnedByReader(pair.book_id, pair.reader_id, occurred_at=datetime.now(UTC))
            self.store.append(storable(returned))
            self.lent += 1


def _still_lent(store: PostgresEventStore) -> set[str]:
    """Copies that a run which was interrupted has not taken back."""
    lent: set[str] = set()
    for stored in store.stream(_LOANS_AND_RETURNS):
        match decode(stored):
            case BookCopyLentToReader(book_id=book_id):
                lent.add(book_id)
            case BookCopyReturnedByReader(book_id=book_id):
                lent.discard(book_id)
    return lent


class _Wanted:
    """Pairs for the clients of one stretch, none of which is taken twice, and what became of them."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = iter(pairs)
        self._lock = Lock()
        self.lent: list[Pair] = []
        self.errors: Counter[int] = Counter()

    def take(self) -> Pair:
        with self._lock:
            pair = next(self._pairs, None)
        if pair is None:
            raise CannotMeasure("every copy is lent before the time is over: take more --events, or fewer --seconds")
        return pair

    def answered(self, pair: Pair, status: int) -> None:
        with self._lock:
            if status == _DONE:
                self.lent.append(pair)
            else:
                self.errors[status] += 1


def _client(opened: ExitStack, app: ServedApp, wanted: _Wanted) -> Callable[[], None]:
    desk = Desk(app)
    opened.callback(desk.close)

    def lend() -> None:
        pair = wanted.take()
        wanted.answered(pair, desk.post(_LEND, pair))

    return lend
