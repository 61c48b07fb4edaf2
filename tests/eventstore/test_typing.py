"""What must not be spelled is an error under mypy and pyright: on every marked line of tests/typing and on no other."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"  # type: ignore\[[a-z, -]+\]$", re.MULTILINE)
"""mypy holds these lines to the very error they name. Here the marks are taken off, and both checkers must object."""

Lines = set[tuple[str, int]]


@pytest.fixture(scope="module")
def illegal() -> Lines:
    marked = {
        (file.name, number)
        for file in _snippets()
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if MARK.search(line)
    }
    assert {name for name, _ in marked} == {"illegal_calls.py", "illegal_filters.py"}
    return marked


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snippets without their marks, and what tells pyright where the package is."""
    unmarked = tmp_path_factory.mktemp("typing")
    for file in _snippets():
        (unmarked / file.name).write_text(MARK.sub("", file.read_text()))
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (unmarked / "pyrightconfig.json").write_text(json.dumps(settings))
    return unmarked


def _snippets() -> list[Path]:
    return sorted((ROOT / "tests/typing").glob("*.py"))


def mypy(folder: Path) -> Lines:
    arguments = ("--strict", "--python-version=3.11", "--follow-imports=silent", f"--cache-dir={folder / 'cache'}", ".")
    output = _run(folder, "mypy", *arguments)
    found = re.findall(r"^(\S+\.py):(\d+): error: ", output, re.MULTILINE)
    assert f"Found {len(found)} error" in output, output
    return {(name, int(line)) for name, line in found}


def pyright(folder: Path) -> Lines:
    output = _run(folder, "pyright", "--outputjson", "--pythonpath", sys.executable)
    report = json.loads(output)
    assert report["summary"]["filesAnalyzed"] == len(_snippets()), output
    return {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in report["generalDiagnostics"]}


def _run(folder: Path, checker: str, *arguments: str) -> str:
    command = [sys.executable, "-m", checker, *arguments]
    # Nothing else of the environment: neither settings of checkers nor a measurement of coverage inside them.
    environment = {"MYPYPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False).stdout


@pytest.mark.parametrize("check", [mypy, pyright])
def test_every_illegal_call_is_an_error_and_every_legal_one_is_none(
    check: Callable[[Path], Lines], folder: Path, illegal: Lines
) -> None:
    found = check(folder)
    assert sorted(illegal - found) == []
    assert sorted(found - illegal) == []
