"""The form of the playground: what was typed becomes a question, or a sentence beside each field that is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
from werkzeug.datastructures import MultiDict

from eventstore import Filter, FilterBuilder, InvalidFilter, P
from eventstore.filter_builder import CompleteItem, ItemStart
from eventstore.filters import HIGHEST_POSITION
from library_app.event_words import FAMILY_OF, ID_KEYS
from library_app.glass.filter_fields import (
    LONGEST_KEY,
    LONGEST_VALUE,
    MOMENTS,
    MOST_ITEMS,
    MOST_PREDICATES,
    POSITIONS,
    predicate_of,
)
from slices.codec import EVENT_CLASSES

LONGEST_BOUND: Final = 40
MOST_EVENTS: Final = 50
USUAL_EVENTS: Final = 25

ITEMS: Final = range(1, MOST_ITEMS + 1)
PREDICATES: Final = range(1, MOST_PREDICATES + 1)

KNOWN_KEYS: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(
        [
            *ID_KEYS,
            *sorted({part.encode_name for kind in EVENT_CLASSES.values() for part in msgspec.structs.fields(kind)}),
        ]
    )
)
"""The payload keys of all events, ids first: offered, but any other may be typed."""

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "everything": ("yes",),
    "direction": ("newest", "oldest"),
    **{f"choice{item}": ("any", "all") for item in ITEMS},
    **{f"as{item}_{number}": ("text", "json") for item in ITEMS for number in PREDICATES},
}
_LONGEST: Final[Mapping[str, int]] = {
    **dict.fromkeys((*POSITIONS, *MOMENTS, "limit"), LONGEST_BOUND),
    **dict.fromkeys((f"key{item}_{number}" for item in ITEMS for number in PREDICATES), LONGEST_KEY),
    **dict.fromkeys((f"value{item}_{number}" for item in ITEMS for number in PREDICATES), LONGEST_VALUE),
}
_TYPES: Final = frozenset(f"type{item}" for item in ITEMS)
_DIGITS: Final = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look up.

    Attributes:
        filter: the dynamic event stream.
        limit: at most so many events of it.
        backwards: whether the newest come first.
    """

    filter: Filter
    limit: int
    backwards: bool


@dataclass(slots=True)
class FilterForm:
    """The form as it was sent.

    Attributes:
        values: what was typed, by the name of the field.
        picked: the event types that were ticked, by the number of the item.
        errors: the sentences by field; those of "form" belong to none.
        asked: the question, if there are no errors.
    """

    values: Mapping[str, str]
    picked: Mapping[int, tuple[str, ...]]
    errors: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    asked: Asked | None = None

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> "FilterForm":
        """Read a query string. Never raises: what is wrong is in `errors`.

        >>> form = FilterForm.read(MultiDict([("type1", "CourseDefined"), ("limit", "5")]))
        >>> str(form.asked.filter), form.asked.limit
        ('CourseDefined', 5)
        """
        values = {name: value for name, value in sent.items() if name not in _TYPES}
        picked = {item: tuple(dict.fromkeys(sent.getlist(f"type{item}"))) for item in ITEMS}
        form = cls(values, picked)
        if not sent:
            return form  # nothing was asked yet
        form._check_fields(sent)
        asked = form._read()
        form.asked = None if form.errors else asked
        return form

    def uses(self, item: int) -> bool:
        """Whether anything was picked or typed for this item."""
        typed = (self._typed(f"{part}{item}_{number}") for part in ("key", "value") for number in PREDICATES)
        return bool(self.picked[item]) or any(typed)

    def troubles(self, item: int) -> bool:
        """Whether something is wrong with this item."""
        return any(re.fullmatch(rf"[a-z]+{item}(_[0-9]+)?", name) for name in self.errors)

    @property
    def bounded(self) -> bool:
        """Whether a bound was typed, right or wrong."""
        return any(self._typed(name) for name in (*POSITIONS, *MOMENTS))

    def _typed(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def _refuse(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, []).append(sentence)

    def _check_fields(self, sent: MultiDict[str, str]) -> None:
        for name, value in sent.items():
            if name in _LONGEST:
                if len(value) > _LONGEST[name]:
                    self._refuse(name, f"At most {_LONGEST[name]} characters, please; these are {len(value)}.")
            elif name in _CHOICES:
                if value and value not in _CHOICES[name]:
                    self._refuse(name, f"Choose one of: {', '.join(_CHOICES[name])}.")
            elif name not in _TYPES:
                self._refuse("form", f"There is no field “{name[:LONGEST_BOUND]}”.")
        for item, types in self.picked.items():
            if not FAMILY_OF.keys() >= set(types):
                self._refuse(f"type{item}", "There is no such event type.")

    def _read(self) -> Asked | None:
        limit = self._number("limit", 1, MOST_EVENTS, f"A number from 1 to {MOST_EVENTS}, please.")
        built = self._items()
        bounds: dict[str, int | datetime | None] = {name: self._moment(name) for name in MOMENTS}
        for name in POSITIONS:
            bounds[name] = self._number(
                name, 0, HIGHEST_POSITION, "A position in the log, please: a whole number from 0 on."
            )
        if built is None or self.errors:
            return None
        try:
            found = _bounded(built, {name: bound for name, bound in bounds.items() if bound is not None})
        except InvalidFilter as reason:
            self._refuse("form", f"{reason}.")
            return None
        return Asked(found, limit or USUAL_EVENTS, self._typed("direction") != "oldest")

    def _items(self) -> FilterBuilder | CompleteItem | None:
        used = [item for item in ITEMS if self.uses(item)]
        if self._typed("everything"):
            if used:
                self._refuse("everything", "Ask for every event or for alternatives, not for both.")
            return FilterBuilder()
        if not used:
            self._refuse("type1", "Choose an event type or give a predicate; or ask for every event.")
        step: FilterBuilder | CompleteItem = FilterBuilder()
        for item in range(1, max(used, default=0) + 1):
            predicates = [found for number in PREDICATES if (found := self._predicate(f"{item}_{number}"))]
            if item not in used:
                self._refuse(f"type{item}", "This alternative is empty: choose an event type or give a predicate.")
            elif not self.troubles(item):
                start = step.matching() if isinstance(step, FilterBuilder) else step.or_matching()
                step = _complete(start, self.picked[item], predicates, all_of=self._typed(f"choice{item}") == "all")
        return step

    def _predicate(self, place: str) -> P | None:
        key, value = self._typed(f"key{place}"), self._typed(f"value{place}")
        if not key and value:
            self._refuse(f"key{place}", "Give the key that the value belongs to.")
        elif key and not value:
            self._refuse(f"value{place}", 'Give a value; the empty text is "" as JSON.')
        if not (key and value) or f"key{place}" in self.errors or f"value{place}" in self.errors:
            return None
        try:
            return predicate_of(key, value, as_json=self._typed(f"as{place}") == "json")
        except InvalidFilter as reason:
            self._refuse(f"value{place}", f"{reason}.")
        return None

    def _number(self, name: str, lowest: int, highest: int, sentence: str) -> int | None:
        text = self._typed(name)
        if not text or name in self.errors:
            return None
        if not _DIGITS.fullmatch(text) or not lowest <= int(text) <= highest:
            self._refuse(name, sentence)
            return None
        return int(text)

    def _moment(self, name: str) -> datetime | None:
        text = self._typed(name)
        if not text or name in self.errors:
            return None
        try:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.utcoffset() is not None else datetime.fromisoformat(f"{moment.isoformat()}+00:00")
            FilterBuilder().occurred_from(moment)  # not every time of every zone can be told in UTC
        except ValueError:
            self._refuse(name, "Not a time. Write it like 2026-03-14 or 2026-03-14 12:30; it is taken as UTC.")
            return None
        return moment


def _complete(start: ItemStart, types: tuple[str, ...], predicates: list[P], *, all_of: bool) -> CompleteItem:
    if not types:
        first, *more = predicates
        return start.all_predicates_of(first, *more) if all_of else start.any_predicate_of(first, *more)
    item = start.any_event_type_of(types[0], *types[1:])
    if not predicates:
        return item
    first, *more = predicates
    return item.and_all_predicates_of(first, *more) if all_of else item.and_any_predicate_of(first, *more)


def _bounded(built: FilterBuilder | CompleteItem, bounds: Mapping[str, int | datetime]) -> Filter:
    if isinstance(built, FilterBuilder) and not bounds:
        return built.matching_any_event()
    step: Any = built  # which bounds are still open is known only now, not to the type checker
    for name, bound in bounds.items():
        step = getattr(step, name)(bound)
    found: Filter = step.finalize()
    return found
