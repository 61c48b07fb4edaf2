"""The ways to the data, which `opening` takes; here they are looked at before the app starts.

requests ──► pooler (LIBRARY_POOLER_DSN) ──► server        queries, appends, keys, snapshots: short transactions
         └─► replica (LIBRARY_REPLICA_DSN)                 the past, which is the same everywhere
locks, LISTEN, labs ──► server (LIBRARY_DSN)               what a pooler cannot give
"""

from typing import Any, Final

from eventstore import StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from library_app.config import Config, SettingRefused

_IDENTITY: Final = """
SELECT system_identifier, (SELECT oid::bigint FROM pg_database WHERE datname = current_database()), pg_is_in_recovery()
FROM pg_control_system()
"""


def check_pooler_and_replica(config: Config, server: Pool) -> None:
    """Make sure at the start that both lead to the database of the server, if there are any.

    Args:
        config: where they are.
        server: leads to the server itself.

    Raises:
        SettingRefused: the pooler does not answer, or one of them leads to another database: positions of events would
            mean something else there.
    """
    if config.pooler_dsn:
        try:
            with open_pool(config.pooler_dsn, max_size=1, prepare=False) as pooler:
                behind = _identity(pooler)
        except StoreUnavailable as error:
            raise SettingRefused(f"LIBRARY_POOLER_DSN: the pooler does not answer: {_in_a_line(error)}") from None
        if behind != _identity(server):
            raise SettingRefused("LIBRARY_POOLER_DSN: the pooler leads to another server or database than LIBRARY_DSN")
    if config.replica_dsn:
        with open_pool(config.replica_dsn, max_size=1, wait=False) as replica:
            try:
                PostgresEventStore(server, replica=replica).check_schema()
            except ValueError as error:
                raise SettingRefused(f"LIBRARY_REPLICA_DSN: {error}") from None


def _identity(pool: Pool) -> Any:
    with borrowed(pool) as connection, translated(may_have_written=False):
        [identity] = connection.execute(_IDENTITY).fetchall()
        return identity


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())
