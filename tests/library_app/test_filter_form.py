"""What the form understands is the filter that was meant, and the code that it shows builds the same."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from eventstore import Filter, FilterBuilder, P
from library_app.event_words import FAMILY_OF
from library_app.glass.filter_code import code_of
from library_app.glass.filter_fields import fields_of, predicate_of
from library_app.glass.filter_form import KNOWN_KEYS, FilterForm

BOOK = "0190a000-0000-7000-8000-0000000000b1"
EXACT = FilterBuilder().matching().any_predicate_of(P("k", [Decimal("0.1000000000000000000001")])).finalize()

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
keys = st.sampled_from(KNOWN_KEYS) | texts.map(str.strip).filter(bool)
scalars: st.SearchStrategy[Any] = (
    texts
    | st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.integers(-(10**12), 10**12).map(lambda number: number / 10_000)
    | st.decimals(-(10**6), 10**6, places=30)
)
values = scalars | st.lists(scalars, min_size=1, max_size=2) | st.dictionaries(texts, scalars, min_size=1, max_size=2)
predicates = st.builds(P, keys, values)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
positions = st.integers(0, 2**63 - 1)


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    """Any filter that the form has room for, built by the builder."""
    step: Any = FilterBuilder()
    for number in range(draw(st.integers(0, 3))):
        step = step.or_matching() if number else step.matching()
        types = draw(st.lists(st.sampled_from(sorted(FAMILY_OF)), max_size=8, unique=True))
        pairs = draw(st.lists(predicates, min_size=0 if types else 1, max_size=3))
        quantifier = draw(st.sampled_from(["any_predicate_of", "all_predicates_of"]))
        if types:
            step = step.any_event_type_of(*types)
        if pairs:
            step = getattr(step, f"and_{quantifier}" if types else quantifier)(*pairs)
    bounds: dict[str, st.SearchStrategy[Any]] = {"occurred_from": moments, "occurred_until": moments}
    bounds |= {"sequence_number_higher_than": positions, "up_to": positions}
    for name in draw(st.lists(st.sampled_from(sorted(bounds)), unique=True)):
        step = getattr(step, name)(draw(bounds[name]))
    found: Filter = step.matching_any_event() if isinstance(step, FilterBuilder) else step.finalize()
    return found


def read(**fields: str | list[str]) -> FilterForm:
    return FilterForm.read(MultiDict(fields))


@given(filters())
@example(EXACT)
def test_the_code_builds_the_filter_that_it_tells(asked: Filter) -> None:
    names: dict[str, Any] = {}
    exec(code_of(asked), names)
    assert names["boundary"] == asked
    assert names["boundary"].hash() == asked.hash()


@given(filters())
@example(EXACT)
def test_the_form_understands_the_fields_of_a_filter_as_this_filter(asked: Filter) -> None:
    form = read(**fields_of(asked))
    assert not form.errors
    assert form.asked is not None
    assert form.asked.filter == asked


def test_code_imports_what_it_needs_and_nothing_else() -> None:
    plain = code_of(FilterBuilder().matching_any_event())
    assert (
        plain
        == "from eventstore import FilterBuilder\n\nboundary = (\n    FilterBuilder()\n    .matching_any_event()\n)"
    )
    assert "from decimal import Decimal\n" in code_of(EXACT)
    told = code_of(FilterBuilder().matching().any_predicate_of(P("k", ' Decimal("1")'), P("n", 0.5)).finalize())
    assert "import Decimal" not in told
    assert 'P("n", 0.5)' in told
    dated = code_of(FilterBuilder().occurred_until(datetime(2026, 3, 14, tzinfo=UTC)).finalize())
    assert dated.startswith("from datetime import datetime\nfrom eventstore import FilterBuilder\n")


def test_nothing_that_is_asked_for_is_no_mistake() -> None:
    form = read()
    assert form.errors == {}
    assert form.asked is None


def test_a_text_is_no_number_and_the_other_way_round() -> None:
    assert predicate_of("Capacity", "12", as_json=False) == P("Capacity", "12")
    assert predicate_of("Capacity", "12", as_json=True) == P("Capacity", 12)


def test_any_spelling_of_an_id_means_the_stored_one() -> None:
    assert predicate_of("BookID", BOOK.upper(), as_json=False) == P("BookID", BOOK)
    assert predicate_of("Title", BOOK.upper(), as_json=False) == P("Title", BOOK.upper())


def test_a_time_without_a_zone_is_one_of_utc() -> None:
    form = read(everything="yes", occurred_from="2026-03-14 12:30", occurred_until="2026-03-14T12:30+02:00")
    assert form.asked is not None
    assert form.asked.filter.occurred_from == datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
    assert form.asked.filter.occurred_until == datetime(2026, 3, 14, 10, 30, tzinfo=UTC)


TYPE = {"type1": "CourseDefined"}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"limit": "5"}, "type1", "Choose an event type"),
    ({"type2": "CourseDefined"}, "type1", "This alternative is empty"),
    ({**TYPE, "type3": "CourseDefined"}, "type2", "This alternative is empty"),
    ({**TYPE, "everything": "yes"}, "everything", "not for both"),
    ({"type1": "Nonsense"}, "type1", "no such event type"),
    ({**TYPE, "value1_2": "x"}, "key1_2", "Give the key"),
    ({**TYPE, "key1_2": " ", "value1_2": "x"}, "key1_2", "Give the key"),
    ({**TYPE, "key1_2": "x"}, "value1_2", "Give a value"),
    ({"key1_1": "k\0", "value1_1": "x"}, "value1_1", "NUL"),
    ({"key1_1": "k", "value1_1": "{}", "as1_1": "json"}, "value1_1", "empty object or array"),
    ({"key1_1": "k", "value1_1": "NaN", "as1_1": "json"}, "value1_1", "no JSON number"),
    ({"key1_1": "k", "value1_1": "no", "as1_1": "json"}, "value1_1", "This is no JSON"),
    ({"key1_1": "k", "value1_1": "1e99999", "as1_1": "json"}, "value1_1", "too long"),
    ({"key1_1": "k" * 101, "value1_1": "x"}, "key1_1", "At most 100 characters"),
    ({"key1_1": "k", "value1_1": "x" * 201}, "value1_1", "At most 200 characters"),
    ({**TYPE, "as1_1": "xml"}, "as1_1", "Choose one of: text, json"),
    ({**TYPE, "choice1": "some"}, "choice1", "Choose one of: any, all"),
    ({**TYPE, "direction": "up"}, "direction", "Choose one of: newest, oldest"),
    ({**TYPE, "limit": "0"}, "limit", "from 1 to 50"),
    ({**TYPE, "limit": "51"}, "limit", "from 1 to 50"),
    ({**TYPE, "limit": "½"}, "limit", "from 1 to 50"),
    ({**TYPE, "up_to": "-1"}, "up_to", "A position in the log"),
    ({**TYPE, "up_to": str(2**63)}, "up_to", "A position in the log"),
    ({**TYPE, "sequence_number_higher_than": "9" * 41}, "sequence_number_higher_than", "At most 40 characters"),
    ({**TYPE, "occurred_from": "yesterday"}, "occurred_from", "Not a time"),
    ({**TYPE, "occurred_until": "2026-02-30"}, "occurred_until", "Not a time"),
    ({**TYPE, "occurred_from": "0001-01-01T00:00+14:00"}, "occurred_from", "Not a time"),
    ({**TYPE, "colour": "red"}, "form", "no field “colour”"),
    ({**TYPE, "key4_1": "k"}, "form", "no field “key4_1”"),
]


@pytest.mark.parametrize(("fields", "field", "sentence"), WRONG)
def test_what_cannot_be_used_is_told_beside_its_field(fields: dict[str, Any], field: str, sentence: str) -> None:
    form = read(**fields)
    assert list(form.errors) == [field]
    assert sentence in form.errors[field][0]
    assert form.errors[field][0].endswith(".")
    assert form.asked is None


@pytest.mark.parametrize(
    "predicates", [[P("k", number) for number in range(4)], [P("k" * 101, "v")], [P("k", "v" * 201)], [P("k", 1e-300)]]
)
def test_a_filter_that_the_form_has_no_room_for_is_not_cut_down(predicates: list[P]) -> None:
    first, *more = predicates
    with pytest.raises(ValueError, match="has no room"):
        fields_of(FilterBuilder().matching().any_predicate_of(first, *more).finalize())
