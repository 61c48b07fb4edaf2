"""What every event of every context has in common, and how a slice names the ones it cares about."""

from datetime import datetime
from types import UnionType
from typing import Annotated, ClassVar, Final, get_args

import msgspec

_SPELLED_IN_CAPITALS: Final = {"id": "ID", "isbn": "ISBN"}


def json_key(field_name: str) -> str:
    """How a field is called in a payload.

    >>> json_key("book_id"), json_key("publication_year")
    ('BookID', 'PublicationYear')
    """
    return "".join(_SPELLED_IN_CAPITALS.get(word, word.capitalize()) for word in field_name.split("_"))


class DomainEvent(msgspec.Struct, frozen=True, kw_only=True, rename=json_key):
    """Something that happened in the library or the school. Frozen, typed, decoded straight from the stored bytes.

    Attributes:
        TYPE: the name under which such an event is stored. Written out in each class: renaming a class must not
            rename what is in the log.
        occurred_at: when, in UTC. It comes from the command, never from the database.
    """

    TYPE: ClassVar[str]

    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]


def stored_types(relevant: type[DomainEvent] | UnionType) -> tuple[str, ...]:
    """The stored names of an event class, or of all classes of a union.

    A slice writes down once which events are relevant to it, as a union. From it come the types that its boundary
    queries (here) and the cases that its `evolve` must handle (by the type checker, through `assert_never`).
    """
    classes: tuple[type[DomainEvent], ...] = get_args(relevant) if isinstance(relevant, UnionType) else (relevant,)
    return tuple(event_class.TYPE for event_class in classes)
