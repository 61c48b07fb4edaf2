"""What came out: the log against everything that the clients were told."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from eventstore import FilterBuilder, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from slices.audit import audit
from tests.library_app.faults.load import Client, Command, Load

_EVERYTHING = FilterBuilder().matching_any_event()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out of a run.

    Attributes:
        faults: how often the fault was inflicted.
        commands: that clients gave.
        acknowledged: those that were answered with 201.
        refused: those that the rules forbade.
        unavailable: answers with 503.
        in_flight: answers that another process is at it.
        unanswered: requests whose connection was refused or broke.
        longest_503: seconds that the slowest 503 took.
        recovery: seconds from the end of the last fault until every client had a command acknowledged.
        events: in the log.
        violations: what must not be; nothing acknowledged is lost, nothing is there twice, and the rules were kept.
    """

    faults: int = 0
    commands: int = 0
    acknowledged: int = 0
    refused: int = 0
    unavailable: int = 0
    in_flight: int = 0
    unanswered: int = 0
    longest_503: float = 0.0
    recovery: float = 0.0
    events: int = 0
    violations: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"""faults                   {self.faults:8,}
commands                 {self.commands:8,}
  acknowledged (201)     {self.acknowledged:8,}
  refused by the rules   {self.refused:8,}
answers on the way
  503                    {self.unavailable:8,}   (the slowest after {self.longest_503:.1f} s)
  409, in flight         {self.in_flight:8,}
  none, or a broken one  {self.unanswered:8,}
until all were served    {self.recovery:8.1f} s   (after the last fault)
events                   {self.events:8,}
violations               {len(self.violations):8,}"""
        return "\n".join((told, *(f"broken: {violation}" for violation in self.violations)))


def judged(load: Load, dsn: str, *, faults: int, recovery: float = 0.0) -> Verdict:
    """Ask some of the commands again, read the whole log, and compare.

    Args:
        load: has ended. What others have written before it began is audited with the rest.
        dsn: of the database that has the log.
        faults, recovery: see `Verdict`.
    """
    heard = Verdict(
        faults=faults,
        unavailable=load.heard("503"),
        in_flight=load.heard("in flight"),
        unanswered=load.heard("no answer"),
        longest_503=max((seconds for client in load.everybody for seconds in client.waits), default=0.0),
        recovery=recovery,
    )
    broken = [sentence for client in load.everybody for sentence in client.broken]
    again = _sent_again(load)
    with open_pool(dsn, max_size=2) as pool:
        log = PostgresEventStore(pool).query(_EVERYTHING).events
    commands = [command for client in load.everybody for command in client.commands]
    return replace(
        heard,
        commands=len(commands),
        acknowledged=sum(command.is_acknowledged for command in commands),
        refused=sum(command.status == 409 for command in commands),
        events=sum(event.sequence_number >= load.first for event in log),
        violations=(*violations(commands, log, load.first), *broken, *again),
    )


def violations(commands: Sequence[Command], log: Sequence[SequencedEvent], first: int = 1) -> list[str]:
    """Every command of the load writes one event or none. Whatever was answered, the log must say the same.

    Args:
        commands: all of the load.
        log: from its first event on.
        first: the number of the first event that is the load's.
    """
    caused: dict[str, list[SequencedEvent]] = defaultdict(list)
    for event in log:
        if event.sequence_number >= first:
            caused[json.loads(event.metadata)["CorrelationID"]].append(event)
    found = [str(objection) for objection in audit(log)]
    for command in commands:
        found += _violations(command, caused.pop(command.correlation, []))
    return found + [f"nobody asked for event {event.sequence_number}" for events in caused.values() for event in events]


def _violations(command: Command, events: Sequence[SequencedEvent]) -> Iterable[str]:
    name = f"{command.route} {command.key}"
    if len(events) > 1:
        yield f"{name} is in the log {len(events)} times"
    if not command.status:
        return
    stored = [{"SequenceNumber": event.sequence_number, "EventType": event.event_type} for event in events]
    told = command.answer.get("Events", [])
    if stored != told:
        yield f"{name} was answered with {command.status} and {told}, and the log has {stored}"
    if command.is_acknowledged and not events:
        yield f"{name} was acknowledged and is lost"


def _sent_again(load: Load) -> list[str]:
    """The last commands of each client once more, with their keys: answered as before, and nothing is written."""
    return [
        f"{command.route} {command.key} is now answered with {again.answer}, and was with {command.answer}"
        for client in load.everybody
        for command in client.commands[-3:]
        if (again := _answered_again(client, command)).answer != command.answer
    ]


def _answered_again(client: Client, command: Command) -> Command:
    again = replace(command, status=0, answer={})
    while command.status and not client.send(again):
        pass
    client.close()
    return again
