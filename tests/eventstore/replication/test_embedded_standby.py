"""The embedded server as a standby of another one."""

import pytest

from eventstore.postgres.embedded import EmbeddedServerError, throwaway_server
from tests.eventstore.replication.servers import Servers, ask, run


def test_a_standby_follows_its_primary_also_after_a_restart(servers: Servers, table: str) -> None:
    assert ask(servers.standby.dsn, "SELECT pg_is_in_recovery()")
    servers.stop_standby()
    run(servers.primary.dsn, f"CREATE TABLE {table} AS SELECT 42 AS answer")
    servers.start_standby()
    servers.wait_until_caught_up()
    assert ask(servers.standby.dsn, f"SELECT answer FROM {table}") == 42


def test_a_copy_that_cannot_be_made_says_why() -> None:
    with (
        pytest.raises(EmbeddedServerError, match=r"(?s)pg_basebackup failed.*/nonexistent"),
        throwaway_server(standby_of="host=/nonexistent user=postgres"),
    ):
        pass
