"""Engines with one mistake each in their reading: in what a filter means, in order, limits, bounds and positions."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from operator import attrgetter
from typing import Any

from eventstore import (
    EventStream,
    Filter,
    FilterItem,
    InMemoryEventStore,
    SequencedEvent,
)
from eventstore.json_values import parse
from tests.eventstore.examples import EVERYTHING


class Broken(InMemoryEventStore):
    """A correct engine, cut into the steps in which mistakes are made."""

    def query(self, filter: Filter, **options: Any) -> EventStream:
        answer, everything = super().query(filter, **options), super().query(EVERYTHING)
        found = [event for event in everything if self.means(filter, event)]
        limit, backwards = options.get("limit"), options.get("backwards", False)
        return replace(answer, events=tuple(self.selected(found, limit, backwards)), position=everything.position)

    def means(self, filter: Filter, event: SequencedEvent) -> bool:
        return filter.within_bounds(event) and (
            filter.any_event or any(self.item_means(item, event) for item in filter.items)
        )

    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        return item.matches(event.event_type, parse(event.payload))

    def selected(self, events: list[SequencedEvent], limit: int | None, backwards: bool) -> list[SequencedEvent]:
        return (events[::-1] if backwards else events)[:limit]


class ThePositionIsTheLastMatch(Broken):
    def query(self, filter: Filter, **options: Any) -> EventStream:
        stream = super().query(filter, **options)
        return replace(stream, position=stream.max_sequence_number)


class NothingFoundIsPositionZero(Broken):
    def query(self, filter: Filter, **options: Any) -> EventStream:
        stream = super().query(filter, **options)
        return stream if stream.events else replace(stream, position=0)


class NoReadIsCutOff(Broken):
    def query(self, filter: Filter, **options: Any) -> EventStream:
        return replace(super().query(filter, **options), cut_off="")


class ItemsAreFlattened(Broken):
    def means(self, filter: Filter, event: SequencedEvent) -> bool:
        if len(filter.items) < 2:
            return super().means(filter, event)
        types = tuple(event_type for item in filter.items for event_type in item.event_types)
        predicates = tuple(predicate for item in filter.items for predicate in item.predicates)
        return super().means(replace(filter, items=(FilterItem(types, predicates),)), event)


class ItemsAreJoinedByAnd(Broken):
    def means(self, filter: Filter, event: SequencedEvent) -> bool:
        return filter.within_bounds(event) and all(self.item_means(item, event) for item in filter.items)


class AlternativesWithoutParentheses(Broken):
    """A OR B AND bounds."""

    def means(self, filter: Filter, event: SequencedEvent) -> bool:
        return super().means(filter, event) or any(self.item_means(item, event) for item in filter.items[:-1])


class PredicatesWithoutParentheses(Broken):
    """type AND K OR L."""

    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        rest = () if item.all_predicates else item.predicates[1:]
        return super().item_means(item, event) or any(one.is_met_by(parse(event.payload)) for one in rest)


class ARepeatedTagNeverMatches(Broken):
    """It counts the tags that an event has of those that were asked for."""

    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        several = item.all_predicates and len(set(item.predicates)) < len(item.predicates)
        return not several and super().item_means(item, event)


class SeveralTypesNeedPredicates(Broken):
    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        return (len(item.event_types) < 2 or bool(item.predicates)) and super().item_means(item, event)


class TypesInAnyLetterCase(Broken):
    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        lower = tuple(event_type.lower() for event_type in item.event_types)
        return replace(item, event_types=lower).matches(event.event_type.lower(), parse(event.payload))


class OneIsTrue(Broken):
    """Values are compared as Python compares them."""

    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        payload = json.loads(event.payload)
        quantifier = all if item.all_predicates or not item.predicates else any
        met = quantifier(payload.get(one.key, ...) == json.loads(one.value) for one in item.predicates)
        return met and (not item.event_types or event.event_type in item.event_types)


class NumbersAreRounded(Broken):
    """Every number is a double, as in JavaScript."""

    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        return super().item_means(item, replace(event, payload=json.dumps(json.loads(event.payload)).encode()))


class ValuesArePastedIntoSql(Broken):
    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        wanted = [one for one in item.predicates if one.value.startswith('"')]
        if not wanted:
            return super().item_means(item, event)
        payload = json.loads(event.payload)
        with closing(sqlite3.connect(":memory:")) as database:
            answers = [
                database.execute(f"SELECT ? = '{json.loads(one.value)}'", [str(payload.get(one.key))]).fetchone()[0]
                for one in wanted
            ]
        return any(answers)


class MetadataAreSearchedToo(Broken):
    def item_means(self, item: FilterItem, event: SequencedEvent) -> bool:
        return super().item_means(item, event) or super().item_means(item, replace(event, payload=event.metadata))


class ABoundOfZeroIsNone(Broken):
    def means(self, filter: Filter, event: SequencedEvent) -> bool:
        return super().means(replace(filter, up_to=filter.up_to or None), event)


class TheUpperBoundIsExclusive(Broken):
    def means(self, filter: Filter, event: SequencedEvent) -> bool:
        return super().means(filter, event) and event.occurred_at != filter.occurred_until


class ALimitCountsWhatDoesNotMatch(Broken):
    def query(self, filter: Filter, **options: Any) -> EventStream:
        answer = super().query(filter, **options)
        first = super().query(EVERYTHING, **options)
        return replace(answer, events=tuple(event for event in first if self.means(filter, event)))


class ALimitTakesTheOldest(Broken):
    def selected(self, events: list[SequencedEvent], limit: int | None, backwards: bool) -> list[SequencedEvent]:
        return events[:limit][::-1] if backwards else events[:limit]


class EventsAreSortedByTime(Broken):
    def selected(self, events: list[SequencedEvent], limit: int | None, backwards: bool) -> list[SequencedEvent]:
        return super().selected(sorted(events, key=attrgetter("occurred_at")), limit, backwards)


class EqualEventsCollapse(Broken):
    def selected(self, events: list[SequencedEvent], limit: int | None, backwards: bool) -> list[SequencedEvent]:
        distinct = {(event.event_type, event.payload): event for event in events}
        return super().selected(list(distinct.values()), limit, backwards)


class TheLastButOneIsVisibleLast(Broken):
    """As if its writer had drawn a number and not committed yet."""

    def selected(self, events: list[SequencedEvent], limit: int | None, backwards: bool) -> list[SequencedEvent]:
        late = len(self._records) - 1
        return super().selected([event for event in events if event.sequence_number != late], limit, backwards)


class AnEventPerMatchingItem(Broken):
    def query(self, filter: Filter, **options: Any) -> EventStream:
        answer = super().query(filter, **options)
        times = [max(1, sum(self.item_means(item, event) for item in filter.items)) for event in answer]
        return replace(answer, events=tuple(event for event, n in zip(answer, times, strict=True) for _ in range(n)))


class TimesAreCutToMilliseconds(Broken):
    def selected(self, events: list[SequencedEvent], limit: int | None, backwards: bool) -> list[SequencedEvent]:
        cut = [
            replace(
                event, occurred_at=event.occurred_at.replace(microsecond=event.occurred_at.microsecond // 1000 * 1000)
            )
            for event in events
        ]
        return super().selected(cut, limit, backwards)


class AStreamNeverEnds(Broken):
    """It goes on with what is appended while it is read."""

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        position = 0
        while newer := [event for event in self.query(filter) if event.sequence_number > position]:
            yield newer[0]
            position = newer[0].sequence_number


class AStreamKnowsNoBounds(Broken):
    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        return super().stream(Filter(items=filter.items, any_event=filter.any_event))


class AStreamEndsBeforeTheHead(Broken):
    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        return iter([event for event in self.query(filter) if event.sequence_number < len(self._records)])
