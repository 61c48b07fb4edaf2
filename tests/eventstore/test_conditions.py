"""What cannot be asked or guarded at all, whatever the engine."""

from typing import Any

import pytest

from eventstore import AppendCondition, FilterItem, InvalidCondition, InvalidFilter, P
from eventstore.json_values import JsonInput
from tests.eventstore.examples import EVERYTHING


@pytest.mark.parametrize("after", [-1, 2**63, True, False, 1.0, "1", None])
def test_a_condition_needs_a_position(after: Any) -> None:
    with pytest.raises(InvalidCondition, match="after"):
        AppendCondition(EVERYTHING, after)


def test_a_condition_needs_a_filter() -> None:
    with pytest.raises(InvalidCondition, match="Filter"):
        AppendCondition("everything", 0)  # type: ignore[arg-type]


def test_an_empty_predicate_cannot_silently_match_everything() -> None:
    """The mistake of relatives that no engine of ours can make, since there is no filter to ask it with."""
    empty: list[JsonInput] = [{}, [], {"a": {}}, [[]], [{"a": []}], {"a": 1, "b": []}]
    for value in empty:
        with pytest.raises(InvalidFilter):
            P("Tags", value)
    for all_predicates in (True, False):
        with pytest.raises(InvalidFilter):
            FilterItem(predicates=(), all_predicates=all_predicates)
