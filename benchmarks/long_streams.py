"""Reads of, and appends guarded by, the streams of a school: what they cost by how many events match."""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from benchmarks.floors import Floors
from benchmarks.loans import check_alone, storable
from benchmarks.priming import PrimedSchool
from benchmarks.sampling import Measured
from eventstore import AppendCondition, EventStream, StorableEvent
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from slices.enrollment.events import StudentRegistered


class Registration(NamedTuple):
    """A new student, to be appended if nothing has happened in a course.

    A student who is only registered is in no course, so the streams keep their lengths from run to run.
    """

    event: StorableEvent
    condition: AppendCondition


class LongStreams:
    """Things to measure in a primed school, by one client with one connection.

    Args:
        pool: of one connection, which the floors use too.
        primed: the store.
    """

    def __init__(self, pool: Pool, primed: PrimedSchool) -> None:
        self._store = PostgresEventStore(pool, primed.table)
        self._school = primed.school
        self._floors = Floors(pool, primed.table)

    def query(self, name: str, length: int) -> Measured[None, EventStream]:
        """Query a stream of so many events."""
        wanted = self._school.stream(length)

        def check(_: None, found: EventStream) -> None:
            assert len(found) == length

        return Measured(name, lambda: None, lambda _: self._store.query(wanted), check)

    def rows_by_key(self, name: str, length: int) -> Measured[Any, Any]:
        """Its floor: the rows of that stream by their numbers."""
        numbers = [event.sequence_number for event in self._store.query(self._school.stream(length))]
        return self._floors.rows_by_key(name, lambda: numbers)

    def append(self, name: str, length: int) -> Measured[Registration, list[int]]:
        """Append an event, guarded by a stream of so many events from the newest position on.

        The position is asked of the shortest stream, whatever the length: an append after the reading of a long one
        would find the caches of the processor cold, and the difference be taken for that of the guards.
        """
        guard, asked = self._school.stream(length), self._school.stream(1)

        def prepare() -> Registration:
            return Registration(_student(), AppendCondition(guard, self._store.query(asked).position))

        def run(registration: Registration) -> list[int]:
            return self._store.append(registration.event, condition=registration.condition)

        def check(registration: Registration, numbers: list[int]) -> None:
            check_alone(numbers == [registration.condition.after + 1])

        return Measured(name, prepare, run, check)

    def bare_insert(self, name: str) -> Measured[Any, Any]:
        """The floor of all these appends."""
        return self._floors.insert(name, lambda: [_student()], lambda: None)


def _student() -> StorableEvent:
    return storable(StudentRegistered(str(uuid4()), "New Student", occurred_at=datetime.now(UTC)))
