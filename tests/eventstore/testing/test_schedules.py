"""What the kit says of our store and of every broken twin, and that the page tells exactly that."""

import re
from functools import cache
from pathlib import Path

import pytest

import eventstore.testing
from eventstore.testing.schedules import SCHEDULES
from eventstore.testing.schedules.matrix import MARKS, header, legend, row
from eventstore.testing.stage import play
from eventstore.testing.twins import CONTENDERS, OURS

PAGE = Path(eventstore.testing.__file__).with_name("README.md").read_text(encoding="utf-8")
CASE = re.compile(r"^### (\d+)\. ([\w-]+)\n(.*?)^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def drawn() -> dict[tuple[str, str], tuple[str, str]]:
    """By schedule and store: what the page says was found, and the time line below it."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for _, schedule, _, drawings in CASE.findall(PAGE):
        for drawing in drawings.strip("\n").split("\n\n"):
            title, _, timeline = drawing.partition("\n")
            store, _, finding = title.partition(": ")
            found[schedule, store] = (finding, timeline)
    return found


@pytest.mark.parametrize("store", CONTENDERS)
def test_the_kit_says_of_a_store_what_the_page_says(store: str, dsn: str) -> None:
    contender = CONTENDERS[store]
    played = {schedule.name: play(schedule, contender.subject, dsn) for schedule in SCHEDULES}
    assert row(store, list(played.values())) in PAGE.splitlines()
    for name, outcome in played.items():
        if (name, store) in drawn():
            finding = str(outcome.findings[0]) if outcome.findings else "held"
            assert (finding, outcome.timeline) == drawn()[name, store], name
    if store == OURS:
        assert not any(outcome.findings for outcome in played.values())
    else:
        assert played[contender.convicted_by].flaw is contender.of


def test_each_schedule_has_its_case_on_the_page_and_each_case_its_schedule() -> None:
    cases = [(int(number), name) for number, name, *_ in CASE.findall(PAGE)]
    assert cases == [(number, schedule.name) for number, schedule in enumerate(SCHEDULES, 1)]
    assert header(SCHEDULES) in PAGE.splitlines()


def test_each_case_draws_a_store_that_holds_and_one_that_does_not() -> None:
    for schedule in SCHEDULES:
        stores = {store: finding for (name, store), (finding, _) in drawn().items() if name == schedule.name}
        assert stores.pop(OURS) == "held"
        assert stores
        assert "held" not in stores.values()


def test_each_twin_is_convicted_for_its_reason_on_the_page() -> None:
    for store, contender in CONTENDERS.items():
        if store != OURS:
            assert contender.of is not None
            assert drawn()[contender.convicted_by, store][0].startswith(f"{contender.of.value}: ")


def test_each_schedule_convicts_a_twin_that_it_was_written_against_or_that_others_miss() -> None:
    """A schedule that convicts nobody could not fail."""
    rows = {name: line for name in CONTENDERS for line in PAGE.splitlines() if line.startswith(f"{name} ")}
    marks = [line.split()[1:] for line in rows.values()]
    assert len(marks) == len(CONTENDERS)
    for column, schedule in zip(zip(*marks, strict=True), SCHEDULES, strict=True):
        assert set(column) != {MARKS[None]}, schedule.name


def test_the_letters_of_the_matrix_are_explained() -> None:
    explained = legend(SCHEDULES)
    for flaw, mark in MARKS.items():
        assert f"{mark} {flaw.value if flaw else 'held'}" in explained
        if flaw is not None:
            assert f"| **{mark}** {flaw.value} |" in PAGE
