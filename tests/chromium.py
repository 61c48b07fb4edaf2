"""The browser of the browser tests: Chromium of the system, or that of Playwright.

`python -m tests.chromium` fetches the latter where there is neither; `make test` does that once.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What systems call it."""


@cache
def chromium() -> str | None:
    """The program; None if there is none that starts."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    own = playwrights_own()
    return own if Path(own).exists() and _starts(own) else None


def playwrights_own() -> str:
    """Where Playwright puts the browser that it fetches."""
    with ThreadPoolExecutor(1) as another:  # in this thread the Playwright of the tests may be at work
        return another.submit(_place).result()


def _place() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _starts(program: str) -> bool:
    """Playwright brings the browser, and not the libraries that the browser needs."""
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


def _fetch(say: Callable[[str], None]) -> None:
    say("Fetching Chromium for the browser tests (only the first time) …")
    fetched = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True, check=False
    )
    chromium.cache_clear()
    if chromium() is None:
        why = "it does not start" if fetched.returncode == 0 else "it cannot be fetched"
        say(f"There is no Chromium, and {why}: browser tests are skipped. To have them: apt install chromium")


if __name__ == "__main__" and chromium() is None:
    _fetch(lambda line: print(line, flush=True))  # noqa: T201
