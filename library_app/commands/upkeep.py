"""What a scheduler or an operator runs from time to time: `library-app expire-holds`, `clear-lab` and `rebuild`."""

from typing import Any

import click

from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore, open_pool
from library_app.commands.clear_line import database, one_clear_line
from library_app.composition import LIVE_MODELS
from library_app.edge import utc_now
from library_app.hold_shelf import look_over
from library_app.race import postgres as race_lab
from library_app.race.clearing import clear
from slices.command_loop import CommandLoop
from slices.live.model import LiveModel
from slices.live.reading import Reading
from slices.live.rebuilding import rebuild
from slices.questions import Replaying
from slices.snapshotted import Snapshotted


@click.command("expire-holds", short_help="End the holds that are past their time. For a scheduler.")
def expire_holds() -> None:
    """End the holds that are past their time, and hold the copies for the next readers. For a scheduler."""
    with one_clear_line(), open_pool(database(), max_size=2) as pool:
        store = PostgresEventStore(pool)
        store.check_schema()
        questions = Snapshotted(Replaying(store), PostgresSnapshotStore(pool))
        click.echo(look_over(questions, CommandLoop(store), utc_now()))


@click.command("clear-lab", short_help="Delete old races from the race lab. For a scheduler.")
def clear_lab() -> None:
    """Delete the events of old races from the logs of the race lab, as the owner of its tables. For a scheduler."""
    with one_clear_line(), open_pool(database(), max_size=2) as pool:
        race_lab.check_tables(pool)
        deleted = clear(pool)
    click.echo(f"{deleted} {'event' if deleted == 1 else 'events'} of old races deleted.")


@click.command("rebuild", short_help="Make live models anew from the log.")
@click.argument("names", nargs=-1, type=click.Choice([model.name for model in LIVE_MODELS]), metavar="[MODEL]...")
def rebuild_models(names: tuple[str, ...]) -> None:
    """Make live models anew from the log, all or those named; the old rows answer until the new ones are complete."""
    with one_clear_line():
        dsn = database()
        with open_pool(dsn, max_size=2) as pool:
            store = PostgresEventStore(pool)
            store.check_schema()
            for model in LIVE_MODELS:
                if not names or model.name in names:
                    _rebuild(store, dsn, model)


def _rebuild(store: PostgresEventStore, dsn: str, model: LiveModel[Any]) -> None:
    head = store.query(model.boundary, limit=1).position
    with click.progressbar(length=head, label=f"Rebuilding {model.name}") as shown:
        made = rebuild(
            model, Reading(store), dsn, progress=lambda position: shown.update(min(position, head) - shown.pos)
        )
    click.echo(f"{model.name} answers from generation {made.number}, up to event #{made.position}.")
