"""Query, fold, decide, append with the same filter: all of it is the shared loop."""

from dataclasses import dataclass

from slices.command_loop import CommandLoop
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.lending.remove_book_copy_from_circulation.decide import State, boundary, decide, evolve
from slices.origin import Origin
from slices.outcome import Outcome


@dataclass(frozen=True, slots=True)
class RemoveBookCopyFromCirculationHandler:
    """Carries `RemoveBookCopyFromCirculation` out against a store."""

    loop: CommandLoop

    def handle(self, command: RemoveBookCopyFromCirculation, origin: Origin) -> Outcome:
        """See `CommandLoop.run`."""
        return self.loop.run(command, origin, boundary=boundary, start=State.of, evolve=evolve, decide=decide)
