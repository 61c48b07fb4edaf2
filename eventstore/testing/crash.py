"""A server that is killed under load, again and again, and the proof that nothing acknowledged was lost.

python -m eventstore.testing.crash --seconds 60
python -m eventstore.testing.crash --weakened       commits that do not wait for the disk: must be found out

Writers append single events and batches, guarded and unguarded, while all processes of the server are killed at
random moments. What a writer cannot know after that, it finds out as an application should: it repeats *the same
append with the same events*. Their ledger is compared with the log after each restart and at the end.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from eventstore.events import SequencedEvent
from eventstore.filter_builder import FilterBuilder
from eventstore.postgres.embedded import EmbeddedServer
from eventstore.store import EventStore
from eventstore.testing.crash_writer import CrashWriter
from eventstore.testing.ledger import Entry, Outcome, Promise, Violation, places, unkept_acknowledgements, violations

_EVERYTHING = FilterBuilder().matching_any_event()
_LONGEST_RECOVERY = 120.0
_LONGEST_LIFE = 1.0
_LONGEST_OUTAGE = 0.1


class NothingProven(Exception):
    """The run did not exercise what it was to prove; the message says what was missing."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What came out of a run.

    Attributes:
        kills: how often the server was killed under load and restarted.
        acknowledged: appends whose sequence numbers were returned.
        batches: how many of these had several events.
        events: how many events these appends had.
        conflicts: appends that their guard refused.
        failures: appends of which the store said that nothing was written.
        found_stored, found_missing: appends of unknown outcome that repeating them showed to have been stored, or not.
        violations: where log and ledger disagree.
    """

    kills: int = 0
    acknowledged: int = 0
    batches: int = 0
    events: int = 0
    conflicts: int = 0
    failures: int = 0
    found_stored: int = 0
    found_missing: int = 0
    violations: tuple[Violation, ...] = ()

    @property
    def is_clean(self) -> bool:
        """True if every promise was kept."""
        return not self.violations

    @property
    def in_doubt(self) -> int:
        """Appends whose outcome was unknown at some time."""
        return self.found_stored + self.found_missing

    def check_that_it_proves_something(self) -> None:
        """Refuse a clean report of a run without load, kills, conflicts or doubt.

        Raises:
            NothingProven: with what was missing.
        """
        missing = {
            "the server was never killed": self.kills,
            "no append was acknowledged": self.acknowledged,
            "no batch was acknowledged": self.batches,
            "no guard refused anything": self.conflicts,
            "no outcome was ever unknown": self.in_doubt,
        }
        reasons = [reason for reason, count in missing.items() if not count]
        if reasons and self.is_clean:
            raise NothingProven(f"the run proves nothing: {', '.join(reasons)}")


def crash_under_load(
    server: EmbeddedServer,
    store: EventStore,
    *,
    go_on: Callable[[CrashReport], bool],
    writers: int = 8,
    seed: int = 0,
) -> CrashReport:
    """Kill and restart the server under load for as long as `go_on` says so, and judge what is left.

    Args:
        server: whose only user we are.
        store: an empty store on that server.
        go_on: asked before each kill, with what is known so far.
        writers: concurrent writers; the store needs a pool with one connection more.
        seed: of all random choices.

    Raises:
        NothingProven: the run was clean, but did not exercise what it was to prove.
    """
    run = _Run(server, store, [CrashWriter(number, store, seed) for number in range(writers)], random.Random(seed))  # noqa: S311
    with ThreadPoolExecutor(writers) as threads:
        futures = [threads.submit(writer.write_until_stopped) for writer in run.writers]
        try:
            while go_on(report := run.report()) and report.is_clean:
                run.wait_for_load(futures)
                run.kill_and_restart()
                run.look()
            for writer in run.writers:
                writer.stop()
            for future in futures:
                future.result()
        finally:
            for writer in run.writers:
                writer.give_up()
    run.judge()
    report = run.report()
    report.check_that_it_proves_something()
    return report


@dataclass(slots=True)
class _Run:
    server: EmbeddedServer
    store: EventStore
    writers: list[CrashWriter]
    chance: random.Random
    kills: int = 0
    seen: list[SequencedEvent] = field(default_factory=list[SequencedEvent])
    violations: list[Violation] = field(default_factory=list[Violation])

    def entries(self) -> list[Entry]:
        return [entry for writer in self.writers for entry in tuple(writer.entries)]

    def acknowledged(self) -> list[Entry]:
        return [entry for entry in self.entries() if entry.outcome is Outcome.ACKNOWLEDGED]

    def wait_for_load(self, futures: "list[Future[None]]") -> None:
        """Return at a random moment after every writer has got something acknowledged since the last restart.

        It is a moment at which an append is under way. Else, on a busy machine, nothing might be in doubt.
        """
        before = [writer.acknowledged for writer in self.writers]
        self._wait(
            lambda: all(writer.acknowledged > count for writer, count in zip(self.writers, before, strict=True)),
            futures,
        )
        time.sleep(self.chance.uniform(0, _LONGEST_LIFE))
        self._wait(lambda: any(writer.is_appending for writer in self.writers), futures)

    def _wait(self, is_true: Callable[[], bool], futures: "list[Future[None]]") -> None:
        deadline = time.monotonic() + _LONGEST_RECOVERY
        while not is_true():
            for future in futures:
                if future.done():
                    future.result()
            if time.monotonic() > deadline:
                raise NothingProven(f"not every writer could append within {_LONGEST_RECOVERY:g} s of a restart")
            time.sleep(0.001)

    def kill_and_restart(self) -> None:
        self.server.kill()
        time.sleep(self.chance.uniform(0, _LONGEST_OUTAGE))
        self.server.restart()
        self.kills += 1

    def look(self) -> None:
        """Read on from where the last look ended: whatever was acknowledged before must have been seen by now."""
        acknowledged = self.acknowledged()
        position = self.seen[-1].sequence_number if self.seen else 0
        self.seen += self.store.query(_EVERYTHING.after_sequence_number(position))
        self.violations += unkept_acknowledgements(acknowledged, places(self.seen))

    def judge(self) -> None:
        """Compare all that the writers know with the whole log."""
        log = self.store.query(_EVERYTHING).events
        self.violations = [violation for writer in self.writers for violation in writer.violations]
        self.violations += violations(self.entries(), log)
        if list(log[: len(self.seen)]) != self.seen:
            details = "an event that was seen after a restart is not there any more, or another came in between"
            self.violations.append(Violation(Promise.UNCHANGED, details))

    def report(self) -> CrashReport:
        acknowledged = self.acknowledged()
        return CrashReport(
            kills=self.kills,
            acknowledged=len(acknowledged),
            batches=sum(len(entry.events) > 1 for entry in acknowledged),
            events=sum(len(entry.events) for entry in acknowledged),
            conflicts=sum(writer.conflicts for writer in self.writers),
            failures=sum(writer.failures for writer in self.writers),
            found_stored=sum(writer.found_stored for writer in self.writers),
            found_missing=sum(writer.found_missing for writer in self.writers),
            violations=(*self.violations,),
        )


if __name__ == "__main__":
    from eventstore.testing.crash_command import main

    main()
