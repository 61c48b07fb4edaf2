"""The app under its production server, on PostgreSQL, seen with Chromium."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import chromium

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Generator[Page]:
    """A page in a session of its own. A script error or a blocked resource on it fails the test."""
    context = browser.new_context()
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    # Chromium reports every answer of 400 or more as an error; refusals are such answers, and meant.
    opened.on("console", lambda line: errors.append(line.text) if _is_error(line.type, line.text) else None)
    yield opened
    context.close()
    assert not errors


def _is_error(kind: str, text: str) -> bool:
    return kind == "error" and "the server responded with a status of 4" not in text
