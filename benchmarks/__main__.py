"""The command line: `python -m benchmarks --help`."""

import signal
import sys

import click

from benchmarks.commands import (
    append,
    concurrency,
    http,
    peers,
    prime,
    query,
    race,
    replay,
    scaling,
    typical_workload,
    whole_suite,
)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Measure the event store, beside what the same machine could do at best.

    Without a command: typical-workload.
    """
    if context.invoked_subcommand is None:
        context.invoke(typical_workload.command)


main.add_command(prime.command)
main.add_command(append.command)
main.add_command(query.command)
main.add_command(scaling.command)
main.add_command(replay.command)
main.add_command(typical_workload.command)
main.add_command(concurrency.command)
main.add_command(race.command)
main.add_command(http.command)
main.add_command(peers.command)
main.add_command(whole_suite.command)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: leave no server behind
    main(prog_name="python -m benchmarks")
