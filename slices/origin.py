"""Where the events of a command come from, and which ids they get."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from eventstore import uuid7


@dataclass(frozen=True, slots=True)
class Origin:
    """The identity of one command. A command that is sent twice has one origin, and so writes its events once.

    Attributes:
        causation_id: of the command.
        correlation_id: of everything that the request set in motion.
        event_id: the id of the command's event number 0, 1, …: the same each time it is asked.
    """

    causation_id: UUID
    correlation_id: UUID
    event_id: Callable[[int], UUID]

    @classmethod
    def new(cls, correlation_id: UUID | None = None) -> "Origin":
        """An origin for a command that nobody will repeat. Ids are of version 7."""
        command_id = uuid7()
        event_ids = defaultdict[int, UUID](uuid7)
        return cls(command_id, correlation_id or command_id, event_ids.__getitem__)

    @property
    def new_id(self) -> str:
        """The id for the thing that this command brings into being, if the caller has not named it.

        It is the id of the command's first event: a command that is repeated must not make a second thing.
        """
        return str(self.event_id(0))
