"""Filters and statements as SQL that people can read and try in psql. Nothing that runs is made here."""

from psycopg.sql import Literal

from eventstore.filters import Filter, FilterItem


def where_clause(filter: Filter) -> str:
    """What a filter means, as a condition on the rows of an events table.

    >>> print(where_clause(FilterBuilder().matching().any_event_type_of("Lent").and_any_predicate_of(P("BookID", "b1"),
    ...                    P("ReaderID", "r1")).up_to(7).finalize()))
    event_type = 'Lent' AND (payload @> '{"BookID": "b1"}' OR payload @> '{"ReaderID": "r1"}')
    AND sequence_number <= 7
    """
    items = "\n OR ".join(_item(item) for item in filter.items)
    bounds = [
        f"{column} {_value(bound)}"
        for column, bound in (
            ("occurred_at >=", filter.occurred_from),
            ("occurred_at <=", filter.occurred_until),
            ("sequence_number >", filter.sequence_number_higher_than),
            ("sequence_number <=", filter.up_to),
        )
        if bound is not None
    ]
    alternatives = [f"({items})" if len(filter.items) > 1 else items] if items else []
    return "\nAND ".join([*alternatives, *bounds]) or "true"


def filled_in(statement: bytes, parameters: list[object]) -> str:
    """A statement with its values in place of the parameters."""
    lines = [line.rstrip() for line in statement.decode().split("\n") if line.strip()]
    pieces = "\n".join(lines).split("%s")
    values = [_value(value) for value in parameters]
    return "".join(piece + value for piece, value in zip(pieces, [*values, ""], strict=True))


def _item(item: FilterItem) -> str:
    parts: list[str] = []
    if item.event_types:
        types = [_value(event_type) for event_type in item.event_types]
        parts.append(f"event_type = {types[0]}" if len(types) == 1 else f"event_type IN ({', '.join(types)})")
    if item.predicates:
        joint = " AND " if item.all_predicates else " OR "
        predicates = joint.join(f"payload @> {_value(predicate.pattern)}" for predicate in item.predicates)
        parts.append(predicates if item.all_predicates or len(item.predicates) == 1 else f"({predicates})")
    return " AND ".join(parts)


def _value(value: object) -> str:
    return Literal(value).as_string().strip()
