"""Somebody who uses the app from outside: over HTTP, with cookies, as a browser without JavaScript or as a program."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any


def _browser() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person, or one program.

    Attributes:
        address: of the app.
    """

    address: str
    browser: urllib.request.OpenerDirector = field(default_factory=_browser)

    def see(self, path: str) -> str:
        """A page, as text in one line."""
        status, text = self._fetch(urllib.request.Request(self.address + path))
        assert status == 200, f"{path} is answered with {status}"
        return text

    def submit(self, path: str, **fields: str) -> tuple[int, str]:
        """Fill a form in and send it. Returns the status and the page where it leads."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.see(path))
        assert token is not None, f"there is no form at {path}"
        body = urllib.parse.urlencode({**fields, "csrf_token": token[1]}).encode()
        return self._fetch(urllib.request.Request(self.address + path, body))

    def command(self, route: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Send a command to the API. Returns status and answer."""
        headers = {"Content-Type": "application/json"}
        status, text = self._fetch(
            urllib.request.Request(f"{self.address}/api/{route}", json.dumps(fields).encode(), headers)
        )
        return status, json.loads(text)

    def ask(self, route: str) -> dict[str, Any]:
        """Ask the API a question."""
        answer: dict[str, Any] = json.loads(self.see(f"/api/{route}"))
        return answer

    def _fetch(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self.browser.open(request, timeout=30) as response:
                return response.status, " ".join(response.read().decode().split())
        except urllib.error.HTTPError as refused:
            return refused.code, " ".join(refused.read().decode().split())
