"""Subscriptions of processes that fork, and of processes that end."""

import subprocess
import sys
from pathlib import Path

from eventstore.postgres import PostgresEventStore
from tests.eventstore.faults import LONGEST_WAIT
from tests.eventstore.subscriptions.following import wait_for_listeners

# An application that is loaded before the server forks its workers: the pool is opened later, by each for itself.
FORKING = """
import gc, os, sys
from psycopg_pool import ConnectionPool
from eventstore.postgres import PostgresEventStore
from tests.eventstore.examples import EVERYTHING, event
from tests.eventstore.subscriptions.following import Follower, wait_for_listeners

dsn, table = sys.argv[1:]
pool = ConnectionPool(dsn, open=False)
store = PostgresEventStore(pool, table, poll_interval=3600)
subscription = store.subscribe(EVERYTHING)
wait_for_listeners(dsn, table, 1)
if (child := os.fork()) == 0:
    del subscription
    gc.collect()
    with pool, Follower(store) as follower:
        wait_for_listeners(dsn, table, 2)
        follower.waits()
        store.append(event())
        follower.reached(1)
    wait_for_listeners(dsn, table, 1)
    sys.exit()
with pool, subscription:
    assert next(subscription).position == 1
    assert os.waitpid(child, 0)[1] == 0
    wait_for_listeners(dsn, table, 1)
    store.append(event())
    assert next(subscription).position == 2
wait_for_listeners(dsn, table, 0)
print("both heard of it")
"""

ENDING = """
import sys, threading
from eventstore.postgres import PostgresEventStore, open_pool
from tests.eventstore.examples import EVERYTHING, event
from tests.eventstore.subscriptions.following import wait_for_listeners

dsn, table = sys.argv[1:]
with open_pool(dsn) as pool:
    store = PostgresEventStore(pool, table, poll_interval=3600)
    subscription = store.subscribe(EVERYTHING)
    store.append(event())
    print(next(subscription).position)
    wait_for_listeners(dsn, table, 1)
"""


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", script, *arguments]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_worker_that_is_forked_listens_for_itself(dsn: str, store: PostgresEventStore, table: str) -> None:
    assert run(FORKING, dsn, table) == "both heard of it\n"


def test_a_subscription_that_nobody_closed_does_not_keep_a_process_from_its_end(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    assert run(ENDING, dsn, table) == "1\n"
    wait_for_listeners(dsn, table, 0)
