"""The checklist in the README: every demand of the DCB specification has a row, and the tests that it names exist."""

import ast
import re
from collections import Counter
from pathlib import Path

from eventstore.testing.contract import EventStoreContract

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"^## The DCB specification$(.*?)^## ", re.MULTILINE | re.DOTALL)
DEMANDS = {"MUST": 16, "SHOULD": 2, "MAY": 7}
"""How often the specification says each word of a store, counted there."""


def _rows() -> list[tuple[str, str, str]]:
    section = SECTION.search((ROOT / "eventstore/README.md").read_text())
    assert section is not None
    table = [line.split("|")[1:-1] for line in section[1].splitlines() if line.startswith("| ")]
    return [(demand.strip(), here.strip(), tests.strip()) for demand, here, tests in table[1:] if here.strip()]


def _tests_that_run() -> set[str]:
    functions = {
        node.name
        for file in (ROOT / "tests/eventstore").rglob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    return {name for name in functions | {*dir(EventStoreContract)} if name.startswith("test_")}


def test_every_test_that_the_checklist_names_exists() -> None:
    named = {name for _, _, tests in _rows() for name in re.findall(r"`(\w+)`", tests)}
    assert named - _tests_that_run() == set()


def test_every_row_of_the_checklist_names_a_test() -> None:
    for demand, here, tests in _rows():
        assert re.fullmatch(r"`test_\w+`(, `test_\w+`)*", tests), (demand, here)


def test_no_demand_of_the_specification_is_missing_from_the_checklist() -> None:
    words = Counter(demand.split()[0] for demand, _, _ in _rows())
    assert {word: words[word] for word in DEMANDS} == DEMANDS
