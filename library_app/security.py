"""What protects the app and the people who use it: headers, cookies, CSRF tokens, limits."""

import math
import time
from collections.abc import Mapping
from typing import Final

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.middleware.proxy_fix import ProxyFix

from library_app.config import Config
from library_app.problems import RequestRefused

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_HEADERS: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_HEADERS_OF_PAGES: Final = (*_HEADERS, ("Cache-Control", "no-store"))

LAB_COSTS: Final[Mapping[str, int]] = {
    "race.run": 10,
    "race_steps.steps": 2,
    "boundary.playground": 1,
    "decision.decision": 1,
}
"""What a request to a lab counts for: a race is as much work as ten looks at a boundary. By endpoint."""


def install_security(app: Flask, config: Config) -> None:
    """Protect every page and every form of the app.

    Requests below /api need no CSRF token: they are refused unless they are JSON, which no form of another site can
    send, and they carry no session.
    """
    app.config.from_mapping(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=config.max_body_bytes,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # a desk page is open all day; the token lives as long as its session
    )
    app.session_interface = _SessionsOfPages()
    protection = CSRFProtect(app)

    def check_token() -> None:
        if not is_api(request.path) and request.routing_exception is None:
            protection.protect()

    def add_headers(response: Response) -> Response:
        has = {name.lower() for name, _ in response.headers}
        wanted = _HEADERS if request.endpoint == "static" else _HEADERS_OF_PAGES
        response.headers.extend([header for header in wanted if header[0].lower() not in has])
        return response

    app.before_request(check_token)
    app.after_request(add_headers)


def is_api(path: str) -> bool:
    """Whether programs talk here, so that errors are answered in JSON."""
    return path.startswith("/api/")


def install_proxies(app: Flask, number: int) -> None:
    """Believe what so many proxies in front say of the client: its address, and the scheme and host it asked for.

    Of each header the values from the end count, one per proxy; what a client wrote there itself stands before them.
    """
    if number:
        proxied = ProxyFix(app.wsgi_app, x_for=number, x_proto=number, x_host=number)
        app.wsgi_app = proxied  # type: ignore[method-assign]


class _SessionsOfPages(SecureCookieSessionInterface):
    """A program has no session, and does not wait until one is made ready."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Called by Flask, which puts an empty one that cannot be written in the place of None."""
        return None if is_api(request.path) else super().open_session(app, request)


def install_lab_limit(app: Flask, per_minute: int) -> None:
    """Let no client address ask more of the labs within a minute than `LAB_COSTS` allows; others get their pages.

    Each process counts for itself, in its memory. Everything else is as free as it was.

    Args:
        app: the app.
        per_minute: the sum of costs.
    """

    limit = RateLimitItemPerMinute(per_minute)
    window = FixedWindowRateLimiter(MemoryStorage())

    def check_limit() -> None:
        cost = LAB_COSTS.get(request.endpoint or "")
        address = request.remote_addr or ""
        if cost is None or window.hit(limit, address, cost=cost):
            return
        seconds = max(1, math.ceil(window.get_window_stats(limit, address).reset_time - time.time()))
        if seconds > limit.get_expiry():  # the clock was put back since, and a minute would last as much longer
            window.clear(limit, address)
            return
        detail = f"You have asked the labs for a lot within a minute. Go on in {seconds} seconds."
        raise RequestRefused(429, detail, {"Retry-After": str(seconds)})

    app.before_request(check_limit)
