"""The command line of the schedules."""

import argparse
import sys
from collections.abc import Sequence

from eventstore.testing.command_line import say, server, show
from eventstore.testing.schedules import SCHEDULES
from eventstore.testing.schedules.matrix import header, legend, row
from eventstore.testing.stage import Outcome, Schedule, play
from eventstore.testing.twins import CONTENDERS, OURS

_ALL = "all"


def main() -> None:
    """Play schedules, print what came out, and exit with status 1 if the store in question fails one."""
    parser = argparse.ArgumentParser(
        prog="python -m eventstore.testing.schedules",
        description="Play deterministic interleavings of two and three sessions, and judge what the store did.",
        epilog=f"NAME of a store is one of: {_ALL}, {', '.join(CONTENDERS)}."
        f" With {_ALL}, the default, a table is printed, and the exit status is that of {OURS}.",
    )
    parser.add_argument("--store", choices=(_ALL, *CONTENDERS), default=_ALL, metavar="NAME", help="which store")
    parser.add_argument("--schedule", choices=[one.name for one in SCHEDULES], metavar="NAME", help="only this one")
    parser.add_argument("--timelines", action="store_true", help="draw what one store did, not only where it failed")
    parser.add_argument("--dsn", help="a PostgreSQL server to use; by default a throw-away embedded one")
    arguments = parser.parse_args()
    if arguments.timelines and arguments.store == _ALL:
        parser.error("--timelines needs --store NAME: there is no room for them in a table")
    schedules = [one for one in SCHEDULES if arguments.schedule in (None, one.name)]
    with server(arguments.dsn) as dsn:
        if arguments.store == _ALL:
            held = _all(schedules, dsn)
        else:
            held = _one(arguments.store, schedules, dsn, arguments.timelines)
    sys.exit(0 if held else 1)


def _one(store: str, schedules: Sequence[Schedule], dsn: str, all_timelines: bool) -> bool:
    say(f"{store}: {CONTENDERS[store].idea}")
    failed = 0
    for schedule in schedules:
        show(f"  … {schedule.name}")
        outcome = play(schedule, CONTENDERS[store].subject, dsn)
        failed += outcome.flaw is not None
        say(f"  {'✗' if outcome.flaw else '✓'} {schedule.name:22} {schedule.title}")
        for finding in outcome.findings:
            say(f"      {finding}")
        if outcome.flaw or all_timelines:
            say("\n" + "\n".join(f"      {line}" for line in outcome.timeline.splitlines()) + "\n")
    say(f"{failed} of {len(schedules)} failed" if failed else f"all {len(schedules)} held")
    return not failed


def _all(schedules: Sequence[Schedule], dsn: str) -> bool:
    outcomes: dict[str, list[Outcome]] = {}
    say(header(schedules))
    for store, contender in CONTENDERS.items():
        played = outcomes[store] = []
        for schedule in schedules:
            show(row(store, played) + "  …")
            played.append(play(schedule, contender.subject, dsn))
        say(row(store, played))
    say("\n" + legend(schedules) + "\n")
    for store, played in outcomes.items():
        say(f"{store}: {CONTENDERS[store].idea}")
        for finding in [finding for outcome in played for finding in outcome.findings][:1]:
            say(f"    {finding.sentence}")
    return not any(outcome.flaw for outcome in outcomes[OURS])
