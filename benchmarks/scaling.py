"""Whether it stays as fast: in stores of growing size, and guarded by streams of growing length."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from benchmarks.long_streams import LongStreams
from benchmarks.priming import PrimedSchool, PrimedStore
from benchmarks.sampling import WARM_UP_ROUNDS, OnRound, in_turns
from benchmarks.scaling_result import ScalingResult
from benchmarks.typical_workload import APPEND, BARE_INSERT, QUERY, ROWS_BY_KEY, TYPICAL_WORKLOAD, TypicalWorkload
from eventstore.postgres.pool import Pool

IN_EACH_STORE: Final = (ROWS_BY_KEY, QUERY, BARE_INSERT, APPEND, TYPICAL_WORKLOAD)


def measure(
    pool: Pool,
    stores: Sequence[PrimedStore],
    school: PrimedSchool,
    rounds: int,
    on_round: OnRound,
    *,
    warm_up: int = WARM_UP_ROUNDS,
) -> ScalingResult:
    """Measure everything in turns: each round visits all stores.

    Args:
        pool: of one connection, which has to do with all stores.
        stores: of several sizes, on one server.
        school: has streams of several lengths.
        rounds: how often each thing is measured.
        on_round: is called after each round, the warm-up included.
        warm_up: rounds that are not counted.
    """
    sizes = {primed.library.events: primed for primed in stores}
    lengths = list(school.school.courses)
    streams = LongStreams(pool, school)
    things = [
        replace(thing, name=_in_store(events, thing.name))
        for events, primed in sizes.items()
        for thing in TypicalWorkload(pool, primed.table, primed.library).things()
        if thing.name in IN_EACH_STORE
    ]
    guarded = [streams.append(_guarded_by(length), length) for length in lengths]
    floor = streams.bare_insert(_in_store(school.school.events, f"{BARE_INSERT}, school"))
    samples = in_turns([*things, *guarded, floor], rounds, warm_up=warm_up, on_round=on_round)
    return ScalingResult(
        sizes={events: {name: samples[_in_store(events, name)] for name in IN_EACH_STORE} for events in sizes},
        streams={length: samples[_guarded_by(length)] for length in lengths},
        floor_of_streams=samples[floor.name],
        rounds=rounds,
        stores=[*(primed.as_json() for primed in stores), school.as_json()],
    )


def _in_store(events: int, name: str) -> str:
    return f"{name} ({events:,})"


def _guarded_by(length: int) -> str:
    return f"append guarded by a stream of {length:,}"
