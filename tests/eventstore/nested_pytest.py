"""Runs pytest in a process of its own, for tests that say which tests fail."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run of pytest printed, and the names of its tests by outcome."""

    output: str
    passed: set[str]
    failed: set[str]
    skipped: set[str]


def run_pytest(folder: Path, *arguments: str, measured: bool = True) -> Finished:
    """Run pytest in a folder with this repository's packages, and read its report.

    Args:
        folder: where pytest is started; its configuration and conftest.py files count.
        arguments: files, names and options.
        measured: the lines that it runs count for the coverage if that is measured, which makes it slower.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_ADDOPTS", None)
    if not measured:
        environment.pop("COVERAGE_PROCESS_CONFIG", None)
    with tempfile.TemporaryDirectory() as elsewhere:
        report = Path(elsewhere, "report.xml")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junit-xml={report}", *arguments]
        finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        output = finished.stdout + finished.stderr
        assert report.exists(), output
        cases = ET.parse(report).getroot().findall(".//testcase")
    by_outcome: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for case in cases:
        outcome = "skipped" if case.find("skipped") is not None else "failed" if len(case) else "passed"
        by_outcome[outcome].add(case.attrib["name"])
    return Finished(output, **by_outcome)
