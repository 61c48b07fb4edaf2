"""The whole app, under load and faults: nothing acknowledged is lost, nothing done twice, and it goes on by itself."""

from collections.abc import Generator

import pytest

from library_app.config import Config
from library_app.opening import opened_app
from library_app.operations.ending import Ending
from tests.eventstore.faults import stopped
from tests.library_app.faults import inflicting
from tests.library_app.faults.site import Site, site, site_on_small_disk, site_with_standby
from tests.library_app.faults.verdict import Verdict
from tests.library_app.library import COPY
from tests.library_app.waiting import eventually

ADD = "lending/add-book-copy-to-circulation"


@pytest.fixture(scope="module")
def here() -> Generator[Site]:
    """One for all faults that it survives: each leaves it as it was, or that is a failure."""
    with site() as opened:
        yield opened


def promises_are_kept(verdict: Verdict, site: Site) -> None:
    assert not verdict.violations, str(verdict)
    assert verdict.acknowledged
    assert "Traceback" not in site.app.said


def test_a_database_that_is_killed_under_load(here: Site) -> None:
    promises_are_kept(inflicting.database_killed(here), here)


def test_an_app_that_is_killed_in_the_middle_of_requests(here: Site) -> None:
    verdict = inflicting.app_killed(here)
    promises_are_kept(verdict, here)
    assert verdict.unanswered


def test_a_database_that_does_not_answer_for_a_while(here: Site) -> None:
    promises_are_kept(inflicting.database_frozen(here, seconds=1), here)


def test_a_database_that_does_not_answer_at_all(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request gives it up, and so none of them keeps the threads of the app for as long as it stands still."""
    monkeypatch.setattr("library_app.opening.LONGEST_SILENCE", 0.3)
    config = Config(secret_key="a secret for the tests", dsn=here.dsn, threads=2, database_patience=1)
    with opened_app(config, Ending()) as app:
        client = app.test_client()
        for address in ("/library/books", "/glass/boundary"):
            assert client.get(address).status_code == 200
        with stopped(here.server):
            answers = [client.get(address) for address in ("/library/books", "/glass/boundary")]
            answers.append(client.post(f"/api/{ADD}", json=COPY, headers={"Idempotency-Key": "k"}))
        assert [answer.status_code for answer in answers] == [503] * 3
        assert all(answer.headers["Retry-After"] for answer in answers)
        eventually(lambda: client.get("/library/books").status_code == 200, "it answers again")


def test_a_failover_to_a_synchronous_standby() -> None:
    with site_with_standby() as (here, standby):
        promises_are_kept(inflicting.failover(here, standby), here)


@pytest.mark.mount
def test_a_disk_that_is_full() -> None:
    with site_on_small_disk() as (here, ballast):
        verdict = inflicting.disk_full(here, ballast)
        promises_are_kept(verdict, here)
        assert verdict.unavailable
