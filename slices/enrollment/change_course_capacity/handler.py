"""Query, fold, decide, append with the same filter: all of it is the shared loop."""

from dataclasses import dataclass

from slices.command_loop import CommandLoop
from slices.enrollment.change_course_capacity.command import ChangeCourseCapacity
from slices.enrollment.change_course_capacity.decide import State, boundary, decide, evolve
from slices.origin import Origin
from slices.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ChangeCourseCapacityHandler:
    """Carries `ChangeCourseCapacity` out against a store."""

    loop: CommandLoop

    def handle(self, command: ChangeCourseCapacity, origin: Origin) -> Outcome:
        """See `CommandLoop.run`."""
        return self.loop.run(command, origin, boundary=boundary, start=State.of, evolve=evolve, decide=decide)
