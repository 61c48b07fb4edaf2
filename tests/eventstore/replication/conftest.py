"""For the tests of this folder: two servers, one of which follows the other, and a store on both."""

from collections.abc import Generator, Iterator

import pytest

from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from tests.eventstore.replication.servers import Servers, streaming_pair


@pytest.fixture(scope="session")
def shared_servers() -> Generator[Servers]:
    with streaming_pair() as pair:
        yield pair


@pytest.fixture
def servers(shared_servers: Servers) -> Iterator[Servers]:
    """A primary and a standby that has caught up with it, and does so again at the end."""
    shared_servers.make_usual()
    yield shared_servers
    shared_servers.make_usual()


@pytest.fixture
def primary_pool(servers: Servers) -> Generator[Pool]:
    with open_pool(servers.primary.dsn, max_size=12) as pool:
        yield pool


@pytest.fixture
def replica_pool(servers: Servers) -> Generator[Pool]:
    with open_pool(f"{servers.standby.dsn} target_session_attrs=standby", max_size=12) as pool:
        yield pool


@pytest.fixture
def replicated(servers: Servers, primary_pool: Pool, replica_pool: Pool, table: str) -> PostgresEventStore:
    """An empty store that the standby has as well."""
    store = PostgresEventStore(primary_pool, table, replica=replica_pool)
    store.create_schema()
    servers.wait_until_caught_up()
    return store


@pytest.fixture
def on_replica_only(
    servers: Servers, replicated: PostgresEventStore, replica_pool: Pool, table: str
) -> PostgresEventStore:
    """The store as seen by somebody who cannot reach the primary: what it answers, the replica has answered."""
    with open_pool(servers.primary.dsn) as closed:
        pass
    return PostgresEventStore(closed, table, replica=replica_pool, replica_patience=60)
