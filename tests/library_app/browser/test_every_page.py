"""Every kind of page, as a visitor finds it by following links: accessible, light, within the window, without errors.

Screenshots are left in test-output/, for people to look at.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.chromium

HEAVIEST_PAGE = 300_000
"""Bytes of a page with all that belongs to it, unpacked."""
FEWEST_KINDS = 60
NO_PAGES = "/api/"
"""What answers programs, and Swagger UI, which is a package of its own."""

SCREENS = Path("test-output")
SECTIONS = "[...document.querySelectorAll('main h2')].map(title => title.textContent)"
LINKS = "[...document.querySelectorAll('a[href]')].map(link => link.href)"
WEIGHT = "performance.getEntries().reduce((sum, entry) => sum + (entry.decodedBodySize || 0), 0)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WCAG_AA: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
}


def kind_of(address: str) -> str:
    """What remains of an address when it does not matter of which copy, reader, event or page it is."""
    path = re.sub(r"^/as-of/[0-9]+(?=/)", "", urlsplit(address).path)  # of all pages of the past one is enough
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", path)
    return re.sub(r"/[0-9]+(?=/|$)", "/N", path)


def looks(page: Page, kind: str) -> tuple[str, ...]:
    """What tells pages apart for axe: those of the slices have one template, and are alike if their sections are."""
    template = re.sub(r"^/glass/slices/\w+/\w+$", "/glass/slices/SLICE", kind)
    return (template, *page.evaluate(SECTIONS))


def a_decision(page: Page, address: str) -> str:
    """A page to which only the button of a form leads."""
    loan = page.request.get(f"{address}/api/lending/books-lent-out").json()["Books"][0]
    return f"/glass/decision/lending/lend_book_to_reader?BookID={loan['BookID']}&ReaderID={loan['ReaderID']}"


LADDER = "/glass/race/steps?steps=A.read,B.read,A.append,B.append,A.commit"
"""A schedule that was played: links lead to the page first without one."""


def visited(page: Page, address: str) -> Iterator[str]:
    """Follow links, one page of each kind, and stand on it while the caller looks."""
    todo = [f"{address}/", f"{address}{LADDER}", f"{address}{a_decision(page, address)}"]
    seen = {"/"}
    while todo:
        page.goto(todo.pop(0))
        yield kind_of(page.url)
        for link in page.evaluate(LINKS):
            kind = kind_of(link)
            if link.startswith(address) and kind not in seen and not kind.startswith(NO_PAGES):
                seen.add(kind)
                todo.append(link)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (390, "dark")], ids=["wide and light", "narrow and dark"]
)
def test_every_page_is_accessible_light_and_within_the_window(
    browser: Browser, address: str, width: int, scheme: Any
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(f"{page.url}: {line.text}") if line.type == "error" else None)
    wrong: list[str] = []
    kinds: list[str] = []
    looked_at: set[tuple[str, ...]] = set()
    for kind in visited(page, address):
        kinds.append(kind)
        if (look := looks(page, kind)) not in looked_at:
            looked_at.add(look)
            found = Axe().run(page, options=WCAG_AA).response["violations"]
            wrong += [f"{kind}: {each['id']}, {each['nodes'][0]['target']}" for each in found]
        weight, overflow = page.evaluate(WEIGHT), page.evaluate(OVERFLOW)
        wrong += [f"{kind}: {weight} bytes"] if weight > HEAVIEST_PAGE else []
        wrong += [f"{kind}: wider than the window by {overflow} pixels"] if overflow > 0 else []
        folder = SCREENS / f"{width}-{scheme}"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{re.sub(r'[^A-Za-z]+', '-', kind).strip('-') or 'home'}.png")
    context.close()
    assert (wrong, errors) == ([], [])
    assert len(kinds) >= FEWEST_KINDS
