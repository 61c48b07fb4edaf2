"""Random logs of the library and the school: any event of any type, about a few copies, readers, courses, students."""

import typing
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from slices.codec import EVENT_CLASSES
from slices.domain_event import DomainEvent

FEW_IDS = ("0198226e-19f6-7d29-8be9-10871e23e820", "0198226e-19f6-7d29-8be9-10871e23e821")

TEXTS = st.sampled_from(["Emma", "O'Brien", "<script>", "Мастер"])


def any_log_of(
    event_classes: Iterable[type[DomainEvent]], texts: st.SearchStrategy[str] = TEXTS
) -> st.SearchStrategy[list[DomainEvent]]:
    """Random logs of these types; what is no id, number or time is one of the texts."""
    return st.lists(st.one_of([_any_event(event_class, texts) for event_class in event_classes]), max_size=40)


def _any_event(event_class: type[DomainEvent], texts: st.SearchStrategy[str]) -> st.SearchStrategy[DomainEvent]:
    any_field: dict[type, st.SearchStrategy[Any]] = {
        str: texts,
        int: st.integers(1, 5),
        datetime: st.integers(0, 3).map(lambda hours: datetime(2025, 7, 1, tzinfo=UTC) + timedelta(hours=hours)),
    }
    fields = {
        name: st.sampled_from(FEW_IDS) if name.endswith("_id") else any_field[hint]
        for name, hint in typing.get_type_hints(event_class).items()
        if name != "TYPE"
    }
    return st.builds(event_class, **fields)


any_log = any_log_of(EVENT_CLASSES.values())
"""Also logs that no command would have written: a projection has to make something of any."""
