"""The contract as somebody meets it who has an engine of their own, strict settings, and nothing of this repository."""

import inspect
import textwrap
from pathlib import Path
from typing import Any

import pytest

from eventstore.testing import contract
from eventstore.testing.contract import Ability, EventStoreContract, OldPositions, Queries
from tests.eventstore.nested_pytest import run_pytest

STRICT = """
[pytest]
addopts = --strict-markers --strict-config --import-mode={mode}
filterwarnings = error
"""
A_QUICK_LOOK = """
from hypothesis import settings

settings.register_profile("quick look", max_examples=10)
settings.load_profile("quick look")
"""
IMPORT_MODES = ("importlib", "prepend")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text(STRICT.format(mode="importlib"))
    (tmp_path / "conftest.py").write_text(A_QUICK_LOOK)
    return tmp_path


def example(number: int) -> str:
    """A block of code from the package's docstring, with the imports that everybody has anyway."""
    blocks = [block for block in inspect.cleandoc(contract.__doc__ or "").split("\n\n") if block.startswith("    ")]
    imports = "import pytest\nfrom eventstore import *\nfrom eventstore.testing.contract import *\n"
    return imports + textwrap.dedent(blocks[number])


def write(folder: Path, *parts: str) -> None:
    (folder / "test_my_store.py").write_text("\n".join(parts))


@pytest.mark.parametrize("mode", IMPORT_MODES)
def test_the_lines_in_the_docstring_hold_an_engine_to_the_contract(folder: Path, mode: str) -> None:
    (folder / "pytest.ini").write_text(STRICT.format(mode=mode))
    write(folder, example(0), example(1), "MyStore = InMemoryEventStore")
    finished = run_pytest(folder)
    passed = {name.partition("[")[0] for name in finished.passed}  # without the parameters
    assert passed == {name for name in dir(EventStoreContract) if name.startswith("test_")}, finished.output
    assert not finished.failed | finished.skipped


def test_a_failure_shows_the_values_and_the_engine(folder: Path) -> None:
    counting_from_zero = """
class MyStore(InMemoryEventStore):
    def append(self, *events, **options):
        return [number - 1 for number in super().append(*events, **options)]
"""
    write(folder, example(0), example(1), counting_from_zero)
    finished = run_pytest(folder, "test_my_store.py::TestMyStore::test_one_event_gets_the_next_number")
    assert finished.failed == {"test_one_event_gets_the_next_number"}
    assert "assert [0] == [1]" in finished.output
    assert "TestMyStore.test_one_event_gets_the_next_number" in finished.output


def test_several_engines_fit_into_one_module_and_one_fixture(folder: Path) -> None:
    two = """
@pytest.fixture(params=["one", "two"])
def engine(request):
    return InMemoryEventStore()

class TestEngines(EventStoreContract): ...

class TestAnother(EventStoreContract):
    @pytest.fixture
    def engine(self):
        return WithoutGaps(InMemoryEventStore())
"""
    write(
        folder, example(0).splitlines()[0], "from eventstore import *", "from eventstore.testing.contract import *", two
    )
    name = "test_one_position_wins_once"
    finished = run_pytest(folder, "-k", f"{name} or test_for_any_ids", "-v")
    ids = "test_for_any_ids_and_conditions_appends_end_as_in_the_in_memory_engine"
    assert finished.passed == {name, f"{name}[one]", f"{name}[two]", ids, f"{ids}[one]", f"{ids}[two]"}, finished.output
    assert f"TestAnother::{name}" in finished.output


POORER = """
class MyStore(InMemoryEventStore):
    def _already_stored(self, *_):
        return []

    def _guard(self, condition):
        try:
            super()._guard(condition)
        except ConcurrencyConflict:
            unknown = ConflictingEvent(0, "", uuid7())
            raise ConcurrencyConflict(unknown, "", 0, 0) from None
        except PositionUnknown:
            pass
"""


def test_what_an_engine_lacks_is_skipped_with_the_reason_of_its_owner(folder: Path) -> None:
    lacking = """
class TestPoorer(EventStoreContract):
    lacks = {ability: f"no {ability.name} here" for ability in Ability}

    @pytest.fixture
    def engine(self):
        return MyStore()
"""
    write(folder, example(0), POORER, lacking)
    finished = run_pytest(folder, "-rs")
    assert not finished.failed, finished.output
    for ability in Ability:
        assert f"no {ability.name} here" in finished.output
    assert {
        "test_a_known_id_with_another_type_is_refused",
        "test_a_position_beyond_the_head_is_refused",
    } <= finished.skipped
    assert {"test_one_position_wins_once", "test_a_predicate_tells_json_values_apart"} <= finished.passed


def test_what_is_lacked_without_being_said_fails(folder: Path) -> None:
    write(folder, example(2), example(1), POORER)
    finished = run_pytest(folder, "-k", "event_appended_again or first_matching_event or beyond_the_head")
    assert "test_an_event_appended_again_returns_the_number_it_has" in finished.failed
    assert "test_a_conflict_tells_the_first_matching_event_and_the_item_it_meets" in finished.failed
    assert "test_a_position_beyond_the_head_is_refused" in finished.failed


def test_what_is_lacked_must_be_an_ability_and_have_a_reason() -> None:
    wrong: list[dict[Any, Any]] = [{"EXACTLY_ONCE": "no index"}, {Ability.EXACTLY_ONCE: ""}]
    for lacks in wrong:
        with pytest.raises(TypeError, match="lacks"):
            type("TestMyStore", (EventStoreContract,), {"lacks": lacks})


def test_an_engine_in_the_making_is_held_to_single_parts(folder: Path) -> None:
    assert issubclass(EventStoreContract, (Queries, OldPositions))
    parts = [part for part in vars(contract).values() if isinstance(part, type) and issubclass(part, contract.Part)]
    assert {*parts} == {*EventStoreContract.__mro__[:-1]}
