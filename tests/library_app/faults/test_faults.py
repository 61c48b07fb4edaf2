"""The whole app, under load and faults: nothing acknowledged is lost, nothing done twice, and it goes on by itself."""

from collections.abc import Generator

import pytest

from tests.library_app.faults import inflicting
from tests.library_app.faults.site import Site, site, site_on_small_disk, site_with_standby
from tests.library_app.faults.verdict import Verdict


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
    verdict = inflicting.database_killed(here)
    promises_are_kept(verdict, here)
    # Nobody has to wait until a claim is half a minute old: what the connection lost is asked once more.
    assert not verdict.in_flight, str(verdict)


def test_an_app_that_is_killed_in_the_middle_of_requests(here: Site) -> None:
    verdict = inflicting.app_killed(here)
    promises_are_kept(verdict, here)
    assert verdict.unanswered


def test_a_database_that_does_not_answer_for_a_while(here: Site) -> None:
    promises_are_kept(inflicting.database_frozen(here, seconds=1), here)


def test_a_failover_to_a_synchronous_standby() -> None:
    with site_with_standby() as (here, standby):
        promises_are_kept(inflicting.failover(here, standby), here)


@pytest.mark.mount
def test_a_disk_that_is_full() -> None:
    with site_on_small_disk() as (here, ballast):
        verdict = inflicting.disk_full(here, ballast)
        promises_are_kept(verdict, here)
        assert verdict.unavailable
