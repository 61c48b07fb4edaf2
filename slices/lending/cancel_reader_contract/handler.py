"""Query, fold, decide, append with the same filter: all of it is the shared loop."""

from dataclasses import dataclass

from slices.command_loop import CommandLoop
from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.lending.cancel_reader_contract.decide import State, boundary, decide, evolve
from slices.origin import Origin
from slices.outcome import Outcome


@dataclass(frozen=True, slots=True)
class CancelReaderContractHandler:
    """Carries `CancelReaderContract` out against a store."""

    loop: CommandLoop

    def handle(self, command: CancelReaderContract, origin: Origin) -> Outcome:
        """See `CommandLoop.run`."""
        return self.loop.run(command, origin, boundary=boundary, start=State.of, evolve=evolve, decide=decide)
