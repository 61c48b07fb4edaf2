"""Inflict a fault for longer than the tests do: `python -m tests.library_app.faults database-killed --rounds 20`."""

import sys

import click

from tests.library_app.faults import inflicting
from tests.library_app.faults.site import site, site_on_small_disk, site_with_standby
from tests.library_app.faults.verdict import Verdict


@click.group()
def main() -> None:
    """Clients that lend and return, the app, its own PostgreSQL, and one fault. It exits with 1 if a promise broke."""


@main.command()
@click.option("--rounds", default=10, show_default=True)
@click.option("--outage", default=1.0, show_default=True, help="Seconds without a database.")
def database_killed(rounds: int, outage: float) -> None:
    """SIGKILL for all processes of PostgreSQL, and a start."""
    with site() as here:
        tell(inflicting.database_killed(here, rounds, outage))


@main.command()
@click.option("--seconds", default=10.0, show_default=True)
def database_frozen(seconds: float) -> None:
    """SIGSTOP for all processes of PostgreSQL, and SIGCONT."""
    with site() as here:
        tell(inflicting.database_frozen(here, seconds))


@main.command()
@click.option("--rounds", default=3, show_default=True)
def app_killed(rounds: int) -> None:
    """SIGKILL for master and workers of the web server, and a start; claims get old by themselves."""
    with site() as here:
        tell(inflicting.app_killed(here, rounds, claims_age_by_themselves=True))


@main.command()
def failover() -> None:
    """SIGKILL for the primary, and the synchronous standby is promoted."""
    with site_with_standby() as (here, standby):
        tell(inflicting.failover(here, standby))


@main.command()
def disk_full() -> None:
    """No space left for the tables, and then some again. As root: it mounts a small disk."""
    with site_on_small_disk() as (here, ballast):
        tell(inflicting.disk_full(here, ballast))


def tell(verdict: Verdict) -> None:
    """Print it, and end."""
    click.echo(verdict)
    sys.exit(1 if verdict.violations else 0)


if __name__ == "__main__":
    main()
