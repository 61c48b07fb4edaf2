"""The staged builder: one class per step, so that a filter without meaning cannot be spelled.

    FilterBuilder ─ matching_any_event() → Filter
         ├ matching() → ItemStart
         └ a bound → Bounded
    ItemStart ─ any_event_type_of(…) → ItemWithTypes
         └ any_predicate_of(…) | all_predicates_of(…) → ItemWithPredicates
    ItemWithTypes ─ and_any_predicate_of(…) | and_all_predicates_of(…) → CompleteItem
    ItemWithPredicates ─ and_any_event_type_of(…) → CompleteItem
    every item but ItemStart: or_matching() → ItemStart · a bound → Bounded · finalize() → Filter

"At least one" is said by the signature `(first, /, *more)`. The fluent form is the seed's.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from eventstore.errors import InvalidFilter
from eventstore.filters import Filter, FilterItem, P


class Open:
    """Type-level mark: this bound may still be given."""


class Given:
    """Type-level mark: this bound is given."""


_From = TypeVar("_From")
_Until = TypeVar("_Until")
_After = TypeVar("_After")
_UpTo = TypeVar("_UpTo")


@dataclass(frozen=True, slots=True)
class Bounded(Generic[_From, _Until, _After, _UpTo]):
    """A filter with at least one bound. Each bound can be given once: a type checker refuses the second call."""

    _filter: Filter

    def occurred_from(
        self: "Bounded[Open, _Until, _After, _UpTo]", moment: datetime
    ) -> "Bounded[Given, _Until, _After, _UpTo]":
        """Only events that occurred at or after this aware datetime."""
        return Bounded(_with_bound(self._filter, "occurred_from", moment))

    def occurred_until(
        self: "Bounded[_From, Open, _After, _UpTo]", moment: datetime
    ) -> "Bounded[_From, Given, _After, _UpTo]":
        """Only events that occurred at or before this aware datetime."""
        return Bounded(_with_bound(self._filter, "occurred_until", moment))

    def sequence_number_higher_than(
        self: "Bounded[_From, _Until, Open, _UpTo]", sequence_number: int
    ) -> "Bounded[_From, _Until, Given, _UpTo]":
        """Only events after this position."""
        return Bounded(_with_bound(self._filter, "sequence_number_higher_than", sequence_number))

    def up_to(
        self: "Bounded[_From, _Until, _After, Open]", sequence_number: int
    ) -> "Bounded[_From, _Until, _After, Given]":
        """Only events up to and including this position."""
        return Bounded(_with_bound(self._filter, "up_to", sequence_number))

    def finalize(self) -> Filter:
        """The finished filter."""
        return self._filter


class _MayBeBounded:
    """The four bounds as a first step; what follows is `Bounded`."""

    __slots__ = ()

    def _unbounded(self) -> Filter:
        raise NotImplementedError  # every step says what it has gathered so far

    def occurred_from(self, moment: datetime) -> Bounded[Given, Open, Open, Open]:
        """Only events that occurred at or after this aware datetime."""
        return Bounded(_with_bound(self._unbounded(), "occurred_from", moment))

    def occurred_until(self, moment: datetime) -> Bounded[Open, Given, Open, Open]:
        """Only events that occurred at or before this aware datetime."""
        return Bounded(_with_bound(self._unbounded(), "occurred_until", moment))

    def sequence_number_higher_than(self, sequence_number: int) -> Bounded[Open, Open, Given, Open]:
        """Only events after this position."""
        return Bounded(_with_bound(self._unbounded(), "sequence_number_higher_than", sequence_number))

    def up_to(self, sequence_number: int) -> Bounded[Open, Open, Open, Given]:
        """Only events up to and including this position."""
        return Bounded(_with_bound(self._unbounded(), "up_to", sequence_number))


@dataclass(frozen=True, slots=True)
class CompleteItem(_MayBeBounded):
    """An item with all it can have."""

    _earlier: tuple[FilterItem, ...]
    _item: FilterItem

    def or_matching(self) -> "ItemStart":
        """Begin another alternative: an event that matches either item is meant."""
        return ItemStart((*self._earlier, self._item))

    def finalize(self) -> Filter:
        """The finished filter."""
        return self._unbounded()

    def _unbounded(self) -> Filter:
        return Filter(items=(*self._earlier, self._item))


@dataclass(frozen=True, slots=True)
class ItemWithTypes(CompleteItem):
    """An item with event types; it may still get predicates."""

    def and_any_predicate_of(self, first: P, /, *more: P) -> CompleteItem:
        """Of these types only events whose payload fulfils at least one predicate."""
        return CompleteItem(self._earlier, FilterItem(self._item.event_types, (first, *more)))

    def and_all_predicates_of(self, first: P, /, *more: P) -> CompleteItem:
        """Of these types only events whose payload fulfils every predicate."""
        return CompleteItem(self._earlier, FilterItem(self._item.event_types, (first, *more), all_predicates=True))


@dataclass(frozen=True, slots=True)
class ItemWithPredicates(CompleteItem):
    """An item with predicates; it may still get event types."""

    def and_any_event_type_of(self, first: str, /, *more: str) -> CompleteItem:
        """Of these events only those of one of the given types."""
        return CompleteItem(self._earlier, replace(self._item, event_types=(first, *more)))


@dataclass(frozen=True, slots=True)
class ItemStart:
    """An item of which nothing is known yet."""

    _earlier: tuple[FilterItem, ...] = ()

    def any_event_type_of(self, first: str, /, *more: str) -> ItemWithTypes:
        """Events of one of these types."""
        return ItemWithTypes(self._earlier, FilterItem(event_types=(first, *more)))

    def any_predicate_of(self, first: P, /, *more: P) -> ItemWithPredicates:
        """Events whose payload fulfils at least one predicate."""
        return ItemWithPredicates(self._earlier, FilterItem(predicates=(first, *more)))

    def all_predicates_of(self, first: P, /, *more: P) -> ItemWithPredicates:
        """Events whose payload fulfils every predicate."""
        return ItemWithPredicates(self._earlier, FilterItem(predicates=(first, *more), all_predicates=True))


@dataclass(frozen=True, slots=True)
class FilterBuilder(_MayBeBounded):
    """Where every filter begins.

    >>> str(FilterBuilder().matching().any_event_type_of("CourseDefined").finalize())
    'CourseDefined'
    """

    def matching(self) -> ItemStart:
        """Begin the first item."""
        return ItemStart()

    def matching_any_event(self) -> Filter:
        """Every event of the store: the only way to say so, and an explicit one."""
        return self._unbounded()

    def _unbounded(self) -> Filter:
        return Filter(any_event=True)


def _with_bound(unbounded: Filter, name: str, value: datetime | int) -> Filter:
    if getattr(unbounded, name) is not None:
        raise InvalidFilter(f"{name} was given already")
    if value is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise InvalidFilter(f"{name} needs a value")
    bound: dict[str, Any] = {name: value}
    return replace(unbounded, **bound)
