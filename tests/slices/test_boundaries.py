"""A slice queries exactly the events it folds, and is guarded by them: found in the code of every slice."""

import ast
import importlib
import inspect
import tomllib
import typing
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any

import pytest

import slices
from eventstore import Filter
from library_app.composition import LIVE_MODELS
from slices.domain_event import DomainEvent
from tests.slices.lending import world as library

ROOT = Path(str(slices.__file__)).parent
WRITE_FILES = {"__init__.py", "command.py", "decide.py", "handler.py", "routes.py"}
READ_FILES = {"__init__.py", "query.py", "project.py", "routes.py"}
LIVE_FILES = {"live.py"}
CONTEXT_FILES = {"events.py", "rejections.py", "limits.py", "invariants.py", "waiting_list.py"}
PURE_FILES = {"command.py", "decide.py", "project.py", "query.py"} | CONTEXT_FILES
WEB_AND_DATABASE = {"flask", "flask_smorest", "marshmallow", "psycopg", "werkzeug"}

FOLDERS = sorted(
    folder
    for context in ("lending", "enrollment")
    for folder in (ROOT / context).iterdir()
    if (folder / "__init__.py").exists()
)


def module_of(folder: Path, name: str) -> ModuleType:
    return importlib.import_module(f"slices.{folder.parent.name}.{folder.name}.{name}")


def is_write_slice(folder: Path) -> bool:
    return (folder / "decide.py").exists()


def is_live(folder: Path) -> bool:
    return folder.name in {model.name for model in LIVE_MODELS}


def types_of(relevant: type[DomainEvent] | UnionType) -> set[str]:
    classes: tuple[type[DomainEvent], ...] = typing.get_args(relevant) or (typing.cast("Any", relevant),)
    return {event.TYPE for event in classes}


def types_queried(filter: Filter) -> set[str]:
    return {event_type for item in filter.items for event_type in item.event_types}


def example_command(folder: Path) -> Any:
    module = module_of(folder, "command")
    [command_class] = [
        value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
    ]
    values = {"publication_year": 2021, "capacity": 2, "occurred_at": library.NOON}
    names = typing.get_type_hints(command_class)
    return command_class(**{name: values.get(name, library.BOOK) for name in names})


def slice_names(folders: list[Path]) -> list[str]:
    return [folder.name for folder in folders]


@pytest.mark.parametrize("folder", FOLDERS, ids=slice_names(FOLDERS))
def test_every_slice_has_the_same_files(folder: Path) -> None:
    expected = WRITE_FILES if is_write_slice(folder) else READ_FILES | (LIVE_FILES if is_live(folder) else set())
    assert {path.name for path in folder.glob("*.py")} == expected
    assert list((folder / "templates" / folder.name).glob("*.html"))


@pytest.mark.parametrize("folder", FOLDERS, ids=slice_names(FOLDERS))
def test_every_slice_says_in_words_what_it_does(folder: Path) -> None:
    words = importlib.import_module(f"slices.{folder.parent.name}.{folder.name}").__doc__ or ""
    assert all(word in words for word in ("GIVEN", "WHEN", "THEN"))
    assert not is_write_slice(folder) or all(word in words for word in ("REJECTED", "NOTHING"))


WRITING = [folder for folder in FOLDERS if is_write_slice(folder)]


@pytest.mark.parametrize("folder", WRITING, ids=slice_names(WRITING))
def test_a_command_queries_exactly_the_types_it_folds(folder: Path) -> None:
    module = module_of(folder, "decide")
    folded = typing.get_type_hints(module.evolve)
    folded_types = types_of(folded.get("event") or folded["_event"])
    assert types_queried(module.boundary(example_command(folder))) == folded_types


QUESTIONS = [folder for folder in FOLDERS if not is_write_slice(folder)]


def example_question(folder: Path, about: str = library.BOOK) -> Filter:
    """The boundary of a question; what it asks about are ids."""
    boundary = module_of(folder, "query").boundary
    question: Filter = boundary(*(about for _ in inspect.signature(boundary).parameters))
    return question


@pytest.mark.parametrize("folder", QUESTIONS, ids=slice_names(QUESTIONS))
def test_a_question_queries_exactly_the_types_it_projects(folder: Path) -> None:
    projected = typing.get_type_hints(module_of(folder, "project").evolve)["event"]
    assert types_queried(example_question(folder)) == types_of(projected)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=slice_names(FOLDERS))
def test_slices_never_import_each_other(folder: Path) -> None:
    own = f"slices.{folder.parent.name}.{folder.name}"
    others = {f"slices.{other.parent.name}.{other.name}" for other in FOLDERS if other != folder}
    for path in folder.glob("*.py"):
        for name in imports_of(path):
            assert not any(name.startswith(other + ".") or name == other for other in others), f"{own} imports {name}"


def test_pure_files_know_neither_the_web_nor_the_database() -> None:
    for path in ROOT.rglob("*.py"):
        if path.name in PURE_FILES:
            assert not {name.split(".")[0] for name in imports_of(path)} & WEB_AND_DATABASE, path
            assert not imports_of(path) & {"slices.web", "slices.fields", "slices.forms", "slices.blueprints"}, path


def test_import_linter_knows_every_slice() -> None:
    contracts = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [independent] = [contract["modules"] for contract in contracts if contract["type"] == "independence"]
    assert sorted(independent) == sorted(f"slices.{folder.parent.name}.{folder.name}" for folder in FOLDERS)
