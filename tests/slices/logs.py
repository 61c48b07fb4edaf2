"""Random logs of the library and the school: any event of any type, about a few copies, readers, courses, students."""

import typing
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from slices.codec import EVENT_CLASSES
from slices.domain_event import DomainEvent

FEW_IDS = ("0198226e-19f6-7d29-8be9-10871e23e820", "0198226e-19f6-7d29-8be9-10871e23e821")

_ANY_FIELD: dict[type, st.SearchStrategy[Any]] = {
    str: st.sampled_from(["Emma", "O'Brien", "<script>", "Мастер"]),
    int: st.integers(1, 5),
    datetime: st.integers(0, 3).map(lambda hours: datetime(2025, 7, 1, tzinfo=UTC) + timedelta(hours=hours)),
}


def _any_event(event_class: type[DomainEvent]) -> st.SearchStrategy[DomainEvent]:
    fields = {
        name: st.sampled_from(FEW_IDS) if name.endswith("_id") else _ANY_FIELD[hint]
        for name, hint in typing.get_type_hints(event_class).items()
        if name != "TYPE"
    }
    return st.builds(event_class, **fields)


any_log = st.lists(st.one_of([_any_event(event_class) for event_class in EVENT_CLASSES.values()]), max_size=40)
"""Also logs that no command would have written: a projection has to make something of any."""
