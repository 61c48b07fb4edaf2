"""A writer that lives through crashes, and knows in the end what became of each of its appends."""

import random
import threading
import time
from datetime import UTC, datetime

from eventstore.errors import ConcurrencyConflict, EventStoreError, StoreUnavailable
from eventstore.filter_builder import FilterBuilder
from eventstore.store import AppendCondition, EventStore
from eventstore.testing.ledger import Entry, Outcome, Promise, Violation
from eventstore.testing.oracle import Claim

_EVERYTHING = FilterBuilder().matching_any_event()
_LARGEST_BATCH = 4
_CLAIMS_PER_PRIZE = 20
_PRIZES_AT_A_TIME = 3


class CrashWriter:
    """Appends until it is stopped, and enters everything into its ledger.

    Attributes:
        entries: one for each append, in the order in which they were begun.
        acknowledged, conflicts, failures: how the appends ended.
        found_stored, found_missing: how appends of unknown outcome ended.
        violations: answers that cannot be true.
    """

    def __init__(self, number: int, store: EventStore, seed: int) -> None:
        self.entries: list[Entry] = []
        self.acknowledged = self.conflicts = self.failures = self.found_stored = self.found_missing = 0
        self.violations: list[Violation] = []
        self._number = number
        self._store = store
        self._chance = random.Random(f"{seed}/{number}")  # noqa: S311  # repeatable, no secret
        self._stopped = threading.Event()
        self._given_up = threading.Event()

    @property
    def is_appending(self) -> bool:
        """Whether an append is under way of which no answer has come."""
        return bool(self.entries) and self.entries[-1].outcome is Outcome.UNKNOWN

    def stop(self) -> None:
        """Begin no further append; the one that is under way is brought to its end."""
        self._stopped.set()

    def give_up(self) -> None:
        """Do not even find out what became of the append that is under way."""
        self._stopped.set()
        self._given_up.set()

    def write_until_stopped(self) -> None:
        """Query, append and find out what became of it, again and again."""
        while not self._stopped.is_set():
            try:
                self._append_something()
            except StoreUnavailable:
                continue  # the query: it may simply be asked again
            except EventStoreError as error:
                # Positions that were seen and are beyond the head now, ids that are stored in part, tables gone, …
                name = type(error).__name__
                self.violations.append(Violation(Promise.ANSWERED, f"writer {self._number} got {name}: {error}"))

    def _append_something(self) -> None:
        claims = [self._claim() for _ in range(self._chance.choice((1, 1, 1, _LARGEST_BATCH)))]
        guarded = self._chance.random() < 0.7
        seen = self._store.query(claims[0].boundary) if guarded else None
        # Only the first claim of a batch is guarded; the others happen without a decision and meet other guards.
        events = tuple(
            claim.event(self._number, seen if index == 0 else None, datetime.now(UTC))
            for index, claim in enumerate(claims)
        )
        entry = Entry(self._number, events)
        self.entries.append(entry)
        self._bring_to_an_end(entry, None if seen is None else seen.append_condition)

    def _bring_to_an_end(self, entry: Entry, condition: AppendCondition | None) -> None:
        in_doubt = False
        head = 0
        while not self._given_up.is_set():
            try:
                numbers = self._store.append(*entry.events, condition=condition)
            except ConcurrencyConflict:
                # Known event ids are recognised before the guard is asked: it was never stored.
                entry.refuse()
                self.conflicts += 1
                self.found_missing += in_doubt
                return
            except StoreUnavailable as error:
                in_doubt = in_doubt or error.outcome_unknown
                if not in_doubt:
                    entry.refuse()
                    self.failures += 1
                    return
                head = self._head()
            else:
                entry.acknowledge(numbers)
                self.acknowledged += 1
                self.found_stored += in_doubt and numbers[-1] <= head
                self.found_missing += in_doubt and numbers[-1] > head
                return

    def _head(self) -> int:
        """What the store has reached, as soon as it answers again."""
        while not self._given_up.is_set():
            try:
                return self._store.query(_EVERYTHING, limit=1, backwards=True).position
            except StoreUnavailable:
                time.sleep(0.01)
        return 0

    def _claim(self) -> Claim:
        # Few at a time, so that writers meet; new ones as time goes on, so that boundaries stay short.
        generation = len(self.entries) // _CLAIMS_PER_PRIZE
        prize, team = (self._chance.randrange(_PRIZES_AT_A_TIME) for _ in range(2))
        return Claim(f"prize {generation}.{prize}", f"team {generation}.{team}")
