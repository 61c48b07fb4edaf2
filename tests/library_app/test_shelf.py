"""The shelf that the desk and the home page show: the same from a kept state, of which only what came later is read."""

import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from eventstore import (
    EventStream,
    Filter,
    InMemoryEventStore,
    InMemorySnapshotStore,
)
from library_app import Config, create_app
from library_app.pages import shelf
from slices.domain_event import DomainEvent
from slices.lending import waiting_list
from slices.questions import Replaying
from slices.snapshotted import Snapshotted
from slices.testing import stored, write
from tests.library_app.conftest import NOON
from tests.slices.lending.world import ADDED, ANN, ANN_REGISTERED, LENT_TO_ANN, added, book_id
from tests.slices.logs import any_log
from tests.slices.test_boundaries import types_of, types_queried
from tests.slices.test_snapshotted import code_of
from tests.wrapped_store import WrappedStore

FOLDED_LIKE_THIS = (1, "48cbe54a")
"""The version of the projection, and the code that it stands for: see the slices' `test_snapshotted.py`."""

MANY = tuple(added(book_id(number)) for number in range(300))


@given(before=any_log, after=any_log)
def test_snapshot_and_tail_show_the_same_shelf_as_the_whole_history(
    before: list[DomainEvent], after: list[DomainEvent]
) -> None:
    replaying = Replaying(InMemoryEventStore())
    snapshotted = Snapshotted(replaying, InMemorySnapshotStore(), save_after=1)
    for events in (before, after, []):
        write(replaying.store, *events)
        assert snapshotted.ask(shelf.BOUNDARY, shelf.project) == replaying.ask(shelf.BOUNDARY, shelf.project)


def test_the_version_stands_for_the_code_that_folds() -> None:
    files = (Path(str(module.__file__)) for module in (shelf, waiting_list))
    assert shelf.project.name == "shelf"
    assert (shelf.project.version, code_of(files)) == FOLDED_LIKE_THIS


def test_the_boundary_asks_for_exactly_the_types_that_are_folded() -> None:
    folded = typing.get_type_hints(shelf.evolve)["event"]
    assert types_queried(shelf.BOUNDARY) == types_of(folded)


@dataclass
class Counted(WrappedStore):
    """A store that remembers how many events of the shelf each query brought."""

    read: list[int] = field(default_factory=list[int])

    def query(self, filter: Filter, **options: Any) -> EventStream:
        found = super().query(filter, **options)
        if filter.hash() == shelf.BOUNDARY.hash():
            self.read.append(len(found))
        return found


@pytest.mark.parametrize("address", ["/", "/library/desk", f"/library/desk?ReaderID={ANN}"])
def test_with_snapshots_a_page_reads_only_what_is_new(config: Config, address: str) -> None:
    store = Counted(stored(*MANY, ADDED, ANN_REGISTERED))
    app = create_app(store, config=config, clock=lambda: NOON, snapshots=InMemorySnapshotStore())
    client = app.test_client()
    assert client.get(address).status_code == 200
    write(store, LENT_TO_ANN)
    assert client.get(address).status_code == 200
    # The last event of the kept state comes along: it shows that the log is still the same.
    assert store.read == [len(MANY) + 2, 2]
