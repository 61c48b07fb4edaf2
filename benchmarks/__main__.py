"""The command line: `python -m benchmarks --help`."""

import json
import signal
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks import report
from benchmarks.command_line import primed_store, reported, store_options
from benchmarks.concurrency_command import concurrency
from benchmarks.machine import Machine
from benchmarks.sampling import WARM_UP_ROUNDS, in_turns
from benchmarks.server import running_server
from benchmarks.typical_workload import TypicalWorkload
from eventstore.postgres import open_pool


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Measure the event store, beside what the same machine could do at best.

    Without a command: typical-workload.
    """
    if context.invoked_subcommand is None:
        context.invoke(typical_workload)


@main.command("prime")
@store_options()
def prime_command(events: int, dsn: str | None, fresh: bool) -> None:
    """Only load the history, and say how long it took."""
    console = Console()
    with reported(), running_server(dsn) as server:
        primed_store(console, server, events, fresh=fresh)


@main.command("typical-workload")
@store_options()
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="How often each thing is measured, in turns with all others.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write everything measured to this file.",
)
def typical_workload(events: int, dsn: str | None, fresh: bool, rounds: int, json_file: Path | None) -> None:
    """Query, append, and a whole command (query, decode, fold, decide, encode, append), by one client."""
    console = Console()
    with reported(), running_server(dsn) as server:
        primed = primed_store(console, server, events, fresh=fresh)
        with open_pool(server, max_size=1) as pool:
            with pool.connection() as connection:
                machine = Machine.behind(connection)
            workload = TypicalWorkload(pool, primed.table, primed.library)
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("Measuring", total=WARM_UP_ROUNDS + rounds)
                samples = in_turns(workload.things(), rounds, on_round=lambda: progress.advance(task))
    found = workload.events_found
    title = f"One client, {rounds:,} rounds; a query finds {sum(found) / len(found):.1f} events,"
    report.print_times(console, f"{title} the long stream {workload.long_stream:,}", samples)
    report.print_ratios(console, samples)
    console.print(str(machine), highlight=False)
    report.print_noise(console, samples)
    if json_file:
        document = report.as_json(machine, primed, samples, rounds=rounds, events_found=found)
        json_file.write_text(json.dumps(document, indent=1), encoding="utf-8")


main.add_command(concurrency)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: leave no server behind
    main(prog_name="python -m benchmarks")
