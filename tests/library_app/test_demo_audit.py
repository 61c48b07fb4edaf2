"""The demo's history could have happened: no auditor objects to any of its events."""

from eventstore import FilterBuilder, InMemoryEventStore
from slices.audit import audit


def test_the_history_of_the_demo_is_lawful(seeded: InMemoryEventStore) -> None:
    assert list(audit(seeded.query(FilterBuilder().matching_any_event()))) == []
