"""Where the browser of the browser tests comes from."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import NAMES, chromium


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A system that has no browser, and cannot fetch one; this folder is all there is in its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    chromium.cache_clear()
    yield tmp_path
    chromium.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_the_browser_of_the_system_is_taken_whatever_it_is_called(bare: Path, name: str) -> None:
    (bare / name).touch(mode=0o755)
    assert chromium() == str(bare / name)


def test_without_a_browser_and_a_network_one_line_says_so_and_nothing_fails(bare: Path) -> None:
    assert chromium() is None
    run = [sys.executable, "-m", "tests.chromium"]
    told = subprocess.run(
        run, capture_output=True, text=True, check=True, env=os.environ, cwd=Path(__file__).parents[1]
    )
    assert told.stdout.splitlines() == [
        "Fetching Chromium for the browser tests (only the first time) …",
        "There is no Chromium, and it cannot be fetched: browser tests are skipped. To have them: apt install chromium",
    ]


def test_playwrights_own_browser_is_taken_if_it_starts(bare: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        own = bare / "own"
        patched.setattr("tests.chromium.playwrights_own", lambda: str(own))
        assert chromium() is None
        for script, found in (("exit 127", None), ("exit 0", str(own))):
            own.write_text(f"#!/bin/sh\n{script}\n")
            own.chmod(0o755)
            chromium.cache_clear()
            assert chromium() == found
