"""`library-app seed`: a history to look at."""

from functools import partial

import click

from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.commands.clear_line import NOT_NEEDED, config_with_dsn, one_clear_line
from library_app.config import Config
from library_app.demo import history
from library_app.edge import utc_now
from library_app.keyed_hash import keyed_hash
from slices.command_loop import CommandLoop


@click.command()
def seed() -> None:
    """Fill an empty log with six weeks of plausible history."""
    with one_clear_line():
        config = config_with_dsn(secret_key=NOT_NEEDED)
        with open_pool(config.dsn, max_size=2) as pool:
            PostgresEventStore(pool).check_schema()
        if not write_history(config):
            click.echo("The log is not empty; nothing was written.")


def write_history(config: Config) -> bool:
    """Write six weeks of history, unless the log holds something; tell whether it was written."""
    with open_pool(config.dsn, max_size=2) as pool:
        store = PostgresEventStore(pool)
        if store.query(FilterBuilder().matching_any_event(), limit=1).events:
            return False
        steps = history.plan(utc_now(), partial(keyed_hash, config.email_key))
        loop = CommandLoop(store)
        with click.progressbar(steps, label="Writing six weeks of history") as shown:
            for step in shown:
                step.carry_out(loop)
    return True
