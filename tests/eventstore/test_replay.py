"""A replay reads only what came after the snapshot, saves only when it pays, and a command may decide on it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventStore,
    Filter,
    InMemoryEventStore,
    InMemorySnapshotStore,
    InvalidFilter,
    InvalidSnapshot,
    Projection,
    SequencedEvent,
    replayed,
)
from tests.eventstore.examples import EVERYTHING, NOON, event, having, of_types
from tests.eventstore.projections import Counting, fill, types_seen


@pytest.fixture
def snapshots() -> InMemorySnapshotStore:
    return InMemorySnapshotStore()


def test_only_what_came_later_is_read_and_folded(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    store = Counting(engine)
    fill(store, "A", "B", "C")
    first = replayed(store, snapshots, EVERYTHING, types_seen, save_after=3)
    assert (first.state, first.resumed_after, first.folded, first.saved) == (["A", "B", "C"], 0, 3, True)
    fill(store, "D")
    second = replayed(store, snapshots, EVERYTHING, types_seen, save_after=3)
    assert (second.state, second.resumed_after, second.folded, second.saved) == (["A", "B", "C", "D"], 3, 1, False)
    assert store.asked == [EVERYTHING, EVERYTHING.after_sequence_number(2)]


def test_a_snapshot_is_saved_only_when_it_pays(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    saved: list[bool] = []
    for _ in range(10):
        fill(engine, "A")
        saved.append(replayed(engine, snapshots, EVERYTHING, types_seen, save_after=4).saved)
    assert saved == [False, False, False, True] * 2 + [False, False]


def test_a_read_of_nothing_saves_nothing(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    fill(engine, "A")
    found = replayed(engine, snapshots, of_types("B"), types_seen, save_after=1)
    assert (found.state, found.position, found.saved) == ([], 1, False)
    assert found.append_condition == AppendCondition(of_types("B"), 1)


def test_a_read_with_nothing_new_folds_nothing(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    fill(engine, "A", "B")
    replayed(engine, snapshots, of_types("A"), types_seen, save_after=1)
    fill(engine, "C")
    again = replayed(engine, snapshots, of_types("A"), types_seen, save_after=1)
    assert (again.state, again.folded, again.resumed_after, again.saved) == (["A"], 0, 1, False)
    assert again.position == 3


@pytest.mark.parametrize("save_after", [0, -1])
def test_saving_after_no_event_is_refused(save_after: int) -> None:
    with pytest.raises(ValueError, match="save_after"):
        replayed(InMemoryEventStore(), InMemorySnapshotStore(), EVERYTHING, types_seen, save_after=save_after)


@pytest.mark.parametrize("part", [EVERYTHING.after_sequence_number(1), EVERYTHING.as_of(1), of_types("A").as_of(9)])
def test_a_read_that_is_bounded_by_position_has_no_snapshot(engine: EventStore, part: Filter) -> None:
    fill(engine, "A", "B")
    with pytest.raises(InvalidFilter, match="whole stream"):
        replayed(engine, InMemorySnapshotStore(), part, types_seen)


def test_a_projection_without_a_name_or_a_version_is_a_mistake_and_said(engine: EventStore) -> None:
    for wrong in (replace(types_seen, name=""), replace(types_seen, version=0)):
        with pytest.raises(InvalidSnapshot):
            replayed(engine, InMemorySnapshotStore(), EVERYTHING, wrong)


def test_another_version_of_a_projection_begins_anew(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    fill(engine, "A", "B")
    replayed(engine, snapshots, EVERYTHING, types_seen, save_after=1)
    shouted = replace(types_seen, version=2, evolve=lambda types, event: [*types, f"{event.event_type}!"])
    assert replayed(engine, snapshots, EVERYTHING, shouted, save_after=1).state == ["A!", "B!"]
    assert replayed(engine, snapshots, EVERYTHING, types_seen).state == ["A", "B"]


def test_a_state_may_be_changed_in_place(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    def add(types: list[str], event: SequencedEvent) -> list[str]:
        types.append(event.event_type)
        return types

    in_place = replace(types_seen, evolve=add)
    fill(engine, "A", "B")
    for _ in range(3):
        assert replayed(engine, snapshots, EVERYTHING, in_place, save_after=2).state == ["A", "B"]


def test_a_state_may_be_none(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    nothing = Projection[None]("nothing", 1, lambda: None, lambda _, __: None, lambda _: b"", lambda _: None)
    fill(engine, "A", "B")
    found = [replayed(engine, snapshots, EVERYTHING, nothing, save_after=2) for _ in range(2)]
    assert [one.state for one in found] == [None, None]
    assert [one.resumed_after for one in found] == [0, 2]


# Commands ---------------------------------------------------------------------------------------------------------


def test_a_decision_on_a_snapshot_is_guarded_like_one_on_all_events(
    engine: EventStore, snapshots: InMemorySnapshotStore
) -> None:
    about = having("K", 1)
    for _ in range(3):
        engine.append(event("A", '{"K": 1}'))
    replayed(engine, snapshots, about, types_seen, save_after=1)
    first, second = (replayed(engine, snapshots, about, types_seen, save_after=1) for _ in range(2))
    assert first.resumed_after == 3
    fill(engine, "Noise")
    [number] = engine.append(event("B", '{"K": 1}'), condition=first.append_condition)
    with pytest.raises(ConcurrencyConflict) as conflict:
        engine.append(event("B", '{"K": 1}'), condition=second.append_condition)
    assert conflict.value.event.sequence_number == number
    third = replayed(engine, snapshots, about, types_seen, save_after=1)
    engine.append(event("C", '{"K": 1}'), condition=third.append_condition)


def test_bounds_of_time_are_a_part_of_the_stream(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    """An event that is appended late, but happened within the bounds, is folded."""
    earlier = NOON - timedelta(hours=1)
    within = replace(EVERYTHING, occurred_from=earlier, occurred_until=earlier)
    engine.append(event("A", occurred_at=earlier), event("Later"))
    assert replayed(engine, snapshots, within, types_seen, save_after=1).state == ["A"]
    engine.append(event("Later"), event("B", occurred_at=earlier))
    assert replayed(engine, snapshots, within, types_seen, save_after=1).state == ["A", "B"]
    assert replayed(engine, snapshots, EVERYTHING, types_seen).resumed_after == 0


def test_a_large_state_is_saved_only_after_as_many_events_as_saving_costs(
    engine: EventStore, snapshots: InMemorySnapshotStore
) -> None:
    large = Projection("large", 1, int, lambda count, _: count + 1, lambda count: b"%02000d" % count, int)
    fill(engine, "A")
    assert not replayed(engine, snapshots, EVERYTHING, large, save_after=1).saved
    fill(engine, "A")
    found = replayed(engine, snapshots, EVERYTHING, large, save_after=1)
    assert (found.state, found.saved, found.failures) == (2, True, ())
    fill(engine, "A")
    found = replayed(engine, snapshots, EVERYTHING, large, save_after=1)
    assert (found.state, found.resumed_after > 0, found.saved) == (3, True, False)
