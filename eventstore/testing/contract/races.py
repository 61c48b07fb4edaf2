"""What several threads may rely on that use one store. Schedules without chance are the race kit's."""

from concurrent.futures import ThreadPoolExecutor

from eventstore import EventStore
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.examples import EVERYTHING, event
from eventstore.testing.race import race_for_prizes

WRITERS = 4


@needs(Ability.THREADS)
class Races(Part):
    """Several writers and a reader at a time."""

    def test_of_several_writers_who_have_read_the_same_one_wins(self, engine: EventStore) -> None:
        report = race_for_prizes(engine, writers=WRITERS, rounds=20)
        assert report.is_clean, str(report)
        assert (report.accepted, report.conflicts) == (20, 20 * (WRITERS - 1))

    def test_who_has_read_up_to_a_position_never_finds_an_event_below_it(self, engine: EventStore) -> None:
        """Positions become visible in their order, so reading on from the last position misses nothing."""

        def write() -> list[int]:
            return [number for _ in range(20) for number in engine.append(event("A"), event("B"))]

        found: list[int] = []
        position = 0
        with ThreadPoolExecutor(WRITERS) as pool:
            writing = [pool.submit(write) for _ in range(WRITERS)]
            finished = False
            while not finished:
                finished = all(one.done() for one in writing)
                newer = engine.query(EVERYTHING.after_sequence_number(position))
                found += [one.sequence_number for one in newer]
                position = newer.position
        assert found == sorted(number for one in writing for number in one.result())
