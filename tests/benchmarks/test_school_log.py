"""The school's history is one that its rules allow, and its streams are as long as they say."""

import pytest

from benchmarks.priming import prime_school
from benchmarks.school_log import School
from eventstore.postgres import PostgresEventStore, open_pool
from slices.codec import decode
from tests.benchmarks.replay import replay


def test_the_rules_allow_every_event() -> None:
    school = School.of(100)
    history = list(school.history())
    assert len(history) == school.events
    replay(history)


def test_each_stream_is_as_long_as_it_says(dsn: str, schema: str) -> None:
    primed = prime_school(dsn, 1000, schema=schema)
    with open_pool(dsn) as pool:
        store = PostgresEventStore(pool, primed.table)
        found = {length: store.query(primed.school.stream(length)) for length in primed.school.courses}
        assert {length: len(stream) for length, stream in found.items()} == {1: 1, 10: 10, 100: 100, 1000: 1000}
        assert {stream.position for stream in found.values()} == {primed.school.events}
        assert len({decode(event) for event in found[1000]}) == 1000
    assert prime_school(dsn, 1000, schema=schema).reused


def test_it_is_the_same_each_time() -> None:
    assert list(School.of(100).copy_lines()) == list(School.of(100).copy_lines())


@pytest.mark.parametrize("longest", [0, 1, 99, 10**7])
def test_another_length_is_refused(longest: int) -> None:
    with pytest.raises(ValueError, match=str(longest)):
        School.of(longest)
