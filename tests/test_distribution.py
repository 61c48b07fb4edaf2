"""What is handed out: the wheel is whole, everything tells the same version, and what comes along is pinned."""

import re
import tomllib
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from library_app.cli import main

ROOT = Path(__file__).parents[1]
PACKAGES = ("eventstore", "slices", "library_app")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = canonicalize_name(PROJECT["name"])
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    return zipfile.ZipFile(next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


def of_this_version(wheel: zipfile.ZipFile, name: str) -> str:
    return wheel.read(f"dynamic_event_streams-{PROJECT['version']}.dist-info/{name}").decode()


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file()]
    expected = {str(file.relative_to(ROOT)) for file in files if "__pycache__" not in file.parts}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected
    assert {Path(name).suffix for name in expected} >= {".py", ".html", ".css", ".js", ".sql", ".typed"}


def test_the_wheel_names_its_command_its_licence_and_the_pythons_that_run_it(wheel: zipfile.ZipFile) -> None:
    scripts = ConfigParser()
    scripts.read_string(of_this_version(wheel, "entry_points.txt"))
    assert dict(scripts["console_scripts"]) == PROJECT["scripts"]
    metadata = Parser().parsestr(of_this_version(wheel, "METADATA"))
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("GPL-3.0-only", ">=3.11")
    assert of_this_version(wheel, "licenses/LICENSE.txt") == (ROOT / "LICENSE.txt").read_text(encoding="utf-8")


def test_the_source_distribution_can_be_tested_and_holds_no_secret() -> None:
    files = {file.distribution_path for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    assert files >= {"LICENSE.txt", "Makefile", "constraints.txt", "tests/conftest.py", "initdb/1_events.sql"}
    assert not {file for file in files if file == ".env" or file.startswith((".venv/", ".data/", ".git/"))}


def test_there_is_one_version_which_the_command_and_the_changelog_tell() -> None:
    version = PROJECT["version"]
    assert CliRunner().invoke(main, ["--version"]).output == f"library-app, version {version}\n"
    [newest, *_] = re.findall(r"^## (\S+)", CHANGELOG, re.MULTILINE)
    assert newest == version


def test_every_package_that_is_installed_with_ours_is_pinned() -> None:
    pins = re.findall(r"^([\w.-]+)==\S+$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    extras = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
    needed = set[str]()
    for text in [*PROJECT["dependencies"], *extras, "hatchling"]:
        add_with_dependencies(Requirement(text), needed)
    assert needed - {canonicalize_name(name) for name in pins} <= {OURS, "pip"}  # which the audit needs


def add_with_dependencies(wanted: Requirement, needed: set[str]) -> None:
    """Add the name of a package and of what it needs in turn, as far as it is installed here."""
    name = canonicalize_name(wanted.name)
    if (name in needed and not wanted.extras) or name == OURS:  # ours are read from pyproject.toml
        needed.add(name)
        return
    needed.add(name)
    try:
        requires = distribution(name).requires or []
    except PackageNotFoundError:
        return
    for other in map(Requirement, requires):
        if other.marker is None or any(other.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
            add_with_dependencies(other, needed)
