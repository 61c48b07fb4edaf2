"""The faults, each inflicted on the whole app under load. library_app/docs/faults.md says what was seen."""

import os
import signal
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from eventstore.postgres.embedded import EmbeddedServer
from tests.eventstore.faults import stopped
from tests.library_app.faults.load import under_load
from tests.library_app.faults.site import Ballast, Site, ask, run, wait
from tests.library_app.faults.verdict import Verdict, judged

_AGE_CLAIMS: Final = "UPDATE idempotency_keys SET claimed_at = claimed_at - interval '1 minute' WHERE status IS NULL"
_WAITING_FOR_STANDBY: Final = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
_QUESTIONS: Final = ("/", "/library/books", "/api/lending/books-lent-out", "/api/events?limit=5")


def database_killed(site: Site, rounds: int = 2, outage: float = 0.3) -> Verdict:
    """All processes of PostgreSQL are killed with SIGKILL under load, and started again after a while.

    Args:
        site: where.
        rounds: how often.
        outage: seconds without a database.
    """
    recovery = 0.0
    with under_load(site.app.port) as load:
        for _ in range(rounds):
            load.goes_on()
            site.server.kill()
            wait(outage)
            site.server.restart()
            recovery = _seconds(load.goes_on)
    return judged(load, site.dsn, faults=rounds, recovery=recovery)


def app_killed(site: Site, rounds: int = 1, *, claims_age_by_themselves: bool = False) -> Verdict:
    """Master and workers of the web server are killed with SIGKILL in the middle of requests, and started again.

    Args:
        site: where.
        rounds: how often.
        claims_age_by_themselves: wait the half minute after which the claim of a killed worker is given to the next
            who asks; else the claims are made older by hand.
    """
    recovery = 0.0
    with under_load(site.app.port) as load:
        for _ in range(rounds):
            load.goes_on()
            site.app.kill()
            site.app.start()
            if not claims_age_by_themselves:
                run(site.dsn, _AGE_CLAIMS)
            recovery = _seconds(load.goes_on)
    return judged(load, site.dsn, faults=rounds, recovery=recovery)


def database_frozen(site: Site, seconds: float = 10.0) -> Verdict:
    """All processes of PostgreSQL are stopped with SIGSTOP, and go on after a while: connections live, nobody answers.

    Args:
        site: where.
        seconds: how long.
    """
    with under_load(site.app.port) as load:
        load.goes_on()
        with stopped(site.server):
            wait(seconds)
        recovery = _seconds(load.goes_on)
    return judged(load, site.dsn, faults=1, recovery=recovery)


def failover(site: Site, standby: EmbeddedServer) -> Verdict:
    """The primary is killed under load, and the synchronous standby promoted; the app goes on with that, as it runs.

    Args:
        site: whose app knows both servers.
        standby: follows the server of the site.
    """
    with under_load(site.app.port) as load:
        load.goes_on(each=3)
        with _deaf(standby):
            # What nobody but the primary has is not acknowledged: without that, it would be lost now.
            load.wait_for(lambda: ask(site.server.dsn, _WAITING_FOR_STANDBY), "a commit waits for the standby")
            site.server.kill()
        assert ask(standby.dsn, "SELECT pg_promote()")
        recovery = _seconds(load.goes_on)
    return judged(load, site.dsn, faults=1, recovery=recovery)


@contextmanager
def _deaf(standby: EmbeddedServer) -> Generator[None]:
    """The standby hears nothing: its receiver is stopped."""
    receiver = ask(standby.dsn, "SELECT pid FROM pg_stat_wal_receiver")
    os.kill(receiver, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(receiver, signal.SIGCONT)


def disk_full(site: Site, ballast: Ballast) -> Verdict:
    """The disk of the tables has no space left: commands are refused, questions are answered; then it has some again.

    Args:
        site: whose tables lie on a small disk.
        ballast: fills that disk.
    """
    with under_load(site.app.port) as load:
        load.goes_on()
        ballast.load()
        load.meets("503")
        for question in _QUESTIONS:
            with urllib.request.urlopen(f"{site.app.address}{question}", timeout=60) as answer:
                answer.read()  # an error is raised
        ballast.drop()
        run(site.dsn, _AGE_CLAIMS)  # there was no room to give them back
        recovery = _seconds(load.goes_on)
    return judged(load, site.dsn, faults=1, recovery=recovery)


def _seconds(happens: Callable[[], None]) -> float:
    began = time.monotonic()
    happens()
    return time.monotonic() - began
