"""What happened in a schedule, drawn: a line for each session, time runs to the right."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Timeline:
    """The steps in the order in which they happened.

    >>> line = Timeline()
    >>> line.add("A", "appends, held", pending=True)
    >>> line.add("B", "reads to 0")
    >>> line.add("A", "stores 1")
    >>> print(line)
    A  appends, held ············ stores 1
    B                 reads to 0
    """

    _steps: list[tuple[str, str, bool]] = field(default_factory=list[tuple[str, str, bool]])

    def add(self, session: str, text: str, *, pending: bool = False) -> None:
        """Note a step.

        Args:
            session: who did it.
            text: what came of it.
            pending: the session is in the middle of it; dots fill its line until its next step.
        """
        self._steps.append((session, text, pending))

    def __str__(self) -> str:
        sessions = sorted({session for session, _, _ in self._steps})
        return "\n".join(self._line(session) for session in sessions)

    def _line(self, session: str) -> str:
        line = f"{session} "
        pending = False
        for actor, text, starts_waiting in self._steps:
            if actor == session:
                line += f" {text} "
                pending = starts_waiting
            else:
                line += ("·" if pending else " ") * (len(text) + 2)
        return line.rstrip()
