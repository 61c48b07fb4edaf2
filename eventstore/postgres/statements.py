"""The SQL of the engine as static text. Values are parameters, names are identifiers, nothing is pasted.

A query's text depends only on the *shape* of its filter (how many items, which bounds), so that there are few texts
and each is composed once (that costs more than sending it) and prepared once per connection.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import LiteralString, TypeAlias

from psycopg.sql import SQL, Composable, Composed, Identifier

from eventstore.filters import Filter, FilterItem
from eventstore.json_values import as_jsonb_text
from eventstore.postgres.schema import TableName

Parameter: TypeAlias = object
_Item: TypeAlias = tuple[bool, int, bool]  # has types, number of predicates, all of them?


@dataclass(frozen=True, slots=True)
class _Shape:
    items: tuple[_Item, ...]
    bounds: tuple[bool, bool, bool, bool]
    limited: bool
    backwards: bool


# One statement, one snapshot: the head of the store and the matching events belong together. The outer join keeps the
# head when nothing matches.
_QUERY: LiteralString = """
SELECT head.position, e.sequence_number, e.event_id, e.event_type,
       e.occurred_at AT TIME ZONE 'UTC', e.payload::text, e.metadata::text
FROM (SELECT {position} AS position FROM {table}) head
LEFT JOIN ({matches}) e ON true
ORDER BY e.sequence_number {direction}
"""

_POSITION: LiteralString = "coalesce(max(sequence_number), 0)"

# Nothing if the server was promoted before the end of the statement, whose snapshot may then be no past of our store.
_POSITION_OF_STANDBY: LiteralString = "CASE WHEN pg_is_in_recovery() THEN coalesce(max(sequence_number), 0) END"

# With predicates: bounds, order and limit above a fence, or the planner walks the whole primary key in the hope of
# meeting a match soon.
_FENCED: LiteralString = """
WITH matches AS MATERIALIZED (SELECT * FROM {table} WHERE {items})
SELECT * FROM matches WHERE {bounds} {first_few}
"""

# Without predicates: walk the key.
_BY_KEY: LiteralString = """
SELECT * FROM {table} WHERE ({items}) AND {bounds} {first_few}
"""

# Only types, and a limit: the first few of each type from the index, then the first few of these.
_BY_TYPE: LiteralString = """
SELECT e.*
FROM unnest(%s::text[]) wanted (event_type)
CROSS JOIN LATERAL (
    SELECT * FROM {table} n
    WHERE n.event_type = wanted.event_type AND {bounds}
    {first_few}
) e
{first_few}
"""

# Sorts only if it cuts: the whole answer is sorted once more, beside the head.
_FIRST_FEW: LiteralString = "ORDER BY sequence_number {direction} LIMIT %s"

# The next stretch of the log, whatever matches in it: an outer join keeps the position it reaches. If there is nothing
# to examine that is the position it began at, or the head of the store, should that lie below.
_WINDOW: LiteralString = """
WITH examined AS MATERIALIZED (
    SELECT * FROM {table} WHERE sequence_number > %s AND sequence_number <= %s ORDER BY sequence_number LIMIT %s
)
SELECT reached.position, e.sequence_number, e.event_id, e.event_type,
       e.occurred_at AT TIME ZONE 'UTC', e.payload::text, e.metadata::text
FROM (
    SELECT coalesce(
        (SELECT max(sequence_number) FROM examined),
        (SELECT least(coalesce(max(sequence_number), 0), %s) FROM {table})
    ) AS position
) reached
LEFT JOIN (SELECT * FROM examined WHERE ({items}) AND {bounds}) e ON true
ORDER BY e.sequence_number
"""

_BOUNDS: tuple[LiteralString, ...] = (
    "occurred_at >= %s",
    "occurred_at <= %s",
    "sequence_number > %s",
    "sequence_number <= %s",
)


def schema_version(table: TableName) -> bytes:
    """The question which version the schema in the database has."""
    function = Identifier(table.schema, f"{table.table}_schema_version")
    return SQL("SELECT {function}()").format(function=function).as_bytes()


def head(table: TableName, *, of_standby: bool = False) -> bytes:
    """The question for the newest position; `of_standby` as in `query`."""
    position = SQL(_POSITION_OF_STANDBY if of_standby else _POSITION)
    names = Identifier(table.schema, table.table)
    return SQL("SELECT {} FROM {}").format(position, names).as_bytes()


def listen(table: TableName) -> bytes:
    """The command that makes a connection hear of every insert, by hand or not."""
    return SQL("LISTEN {}").format(Identifier(str(table))).as_bytes()


def query(
    table: TableName, filter: Filter, limit: int | None, backwards: bool, *, of_standby: bool = False
) -> tuple[bytes, list[Parameter]]:
    """The statement for a filter, and its parameters.

    Args:
        of_standby: the position is NULL unless a hot standby answers.
    """
    bounds = (filter.occurred_from, filter.occurred_until, filter.sequence_number_higher_than, filter.up_to)
    given_bounds = [bound for bound in bounds if bound is not None]
    types_alone = _types_alone(filter)
    if types_alone and limit is not None:
        shape = _Shape(((True, 0, False),), _given(bounds), limited=True, backwards=backwards)
        return _text(table, shape, of_standby), [types_alone, *given_bounds, limit, limit]
    shape = _Shape(_shapes(filter), _given(bounds), limit is not None, backwards)
    parameters: list[Parameter] = [*_item_parameters(filter.items), *given_bounds]
    return _text(table, shape, of_standby), parameters if limit is None else [*parameters, limit]


def window(table: TableName, filter: Filter, after: int, up_to: int, size: int) -> tuple[bytes, list[Parameter]]:
    """The statement that examines the next events after a position, and its parameters."""
    times = (filter.occurred_from, filter.occurred_until)
    bounds = (times[0] is not None, times[1] is not None, False, False)
    given_times = [moment for moment in times if moment is not None]
    parameters: list[Parameter] = [after, up_to, size, after, *_item_parameters(filter.items), *given_times]
    return _window_text(table, _Shape(_shapes(filter), bounds, limited=True, backwards=False)), parameters


def matching(filter: Filter) -> tuple[Composed, list[Parameter]]:
    """The items of a filter as a WHERE clause, and its parameters."""
    return _any_of(_shapes(filter)), list(_item_parameters(filter.items))


def guard(filter: Filter) -> str:
    """The items of a filter as the JSON that the append functions evaluate."""
    return "[" + ", ".join(_guard_item(item) for item in filter.items) + "]"


def _guard_item(item: FilterItem) -> str:
    parts: list[str] = []
    if item.event_types:
        parts.append(_guarded_types(item.event_types))
    if item.predicates:
        quantifier = "all" if item.all_predicates else "any"
        parts.append(f'"{quantifier}": [' + ", ".join(predicate.pattern for predicate in item.predicates) + "]")
    return "{" + ", ".join(parts) + "}"


@lru_cache(maxsize=1000)
def _guarded_types(event_types: tuple[str, ...]) -> str:
    return f'"types": {as_jsonb_text(list(event_types))}'


def _types_alone(filter: Filter) -> list[str]:
    """All types of a filter that asks for nothing else, each once; empty for any other filter."""
    if any(item.predicates for item in filter.items):
        return []
    return list(dict.fromkeys(event_type for item in filter.items for event_type in item.event_types))


def _shapes(filter: Filter) -> tuple[_Item, ...]:
    return tuple((bool(item.event_types), len(item.predicates), item.all_predicates) for item in filter.items)


def _item_parameters(items: tuple[FilterItem, ...]) -> Iterable[Parameter]:
    for item in items:
        if item.event_types:
            yield list(item.event_types)
        for predicate in item.predicates:
            yield predicate.pattern


def _given(bounds: tuple[object, object, object, object]) -> tuple[bool, bool, bool, bool]:
    first, second, third, fourth = (bound is not None for bound in bounds)
    return first, second, third, fourth


@lru_cache(maxsize=1000)
def _text(table: TableName, shape: _Shape, of_standby: bool) -> bytes:
    has_predicates = any(predicates for _, predicates, _ in shape.items)
    if has_predicates:
        inner = _FENCED
    elif shape.items and shape.limited:
        inner = _BY_TYPE
    else:
        inner = _BY_KEY
    names = _names(table, shape)
    position = SQL(_POSITION_OF_STANDBY if of_standby else _POSITION)
    return SQL(_QUERY).format(position=position, matches=SQL(inner).format(**names), **names).as_bytes()


@lru_cache(maxsize=1000)
def _window_text(table: TableName, shape: _Shape) -> bytes:
    return SQL(_WINDOW).format(**_names(table, shape)).as_bytes()


def _names(table: TableName, shape: _Shape) -> dict[str, Composable]:
    direction = SQL("DESC") if shape.backwards else SQL("ASC")
    return {
        "table": Identifier(table.schema, table.table),
        "items": _any_of(shape.items),
        "bounds": SQL(" AND ").join(
            [SQL(text) for text, given in zip(_BOUNDS, shape.bounds, strict=True) if given] or [SQL("true")]
        ),
        "direction": direction,
        "first_few": SQL(_FIRST_FEW).format(direction=direction) if shape.limited else SQL(""),
    }


def _any_of(items: tuple[_Item, ...]) -> Composed:
    alternatives = [SQL("({})").format(_item(item)) for item in items]
    return SQL(" OR ").join(alternatives) if alternatives else Composed([SQL("true")])


def _item(item: _Item) -> Composed:
    has_types, number_of_predicates, all_predicates = item
    parts: list[SQL | Composed] = []
    if has_types:
        parts.append(SQL("event_type = ANY(%s::text[])"))
    if number_of_predicates:
        joint = SQL(" AND ") if all_predicates else SQL(" OR ")
        predicates = joint.join([SQL("payload @> %s::jsonb")] * number_of_predicates)
        parts.append(SQL("({})").format(predicates))
    return SQL(" AND ").join(parts)
