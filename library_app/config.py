"""What can be configured: environment variables, read once into one frozen object. README.md lists them."""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, TypeVar

from library_app.operations.otlp import asks_for_telemetry

SHORTEST_SECRET = 16
_SECRET_BYTES = 32

_OF_OTHERS: Final = {"LIBRARY_PATH"}
"""Compilers look there for libraries, and many a shell has it set."""

T = TypeVar("T")


class SettingRefused(ValueError):
    """A variable is missing, or it or a kept file holds what cannot be used; the message begins with its name."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process.

    >>> secrets = {"LIBRARY_SECRET_KEY": "0123456789abcdef", "LIBRARY_EMAIL_KEY": "fedcba9876543210"}
    >>> Config.read({**secrets, "LIBRARY_PORT": "8080"}).port
    8080

    Attributes:
        secret_key: signs the session cookie, which carries the CSRF token and the notices of forms.
        dsn: libpq connection string of the database; empty if the caller brings a store.
        host, port: where the web server listens.
        workers, threads: processes of the web server, and threads in each.
        max_body_bytes: larger requests are refused with 413.
        secure_cookies: send cookies over HTTPS only. Switch it on behind a TLS proxy.
        email_key: addresses are on record as hashes with this key. By default one that nobody keeps, which suits a
            store in memory.
        live_streams: pages that each process sends new events to as they happen; the others ask every few seconds. Less
            than the threads, since each takes one.
        lab_limit: how much a client address may ask of the labs within a minute, of each process. A look at a boundary
            or a decision counts for one, a schedule of two sessions for two, a race for ten.
        log: what a line of the log is: "text" for people, "json" for programs.
        log_level: what is logged at least: "debug", "info", "warning" or "error".
        metrics: answer at /metrics what Prometheus asks for.
        telemetry: tell OpenTelemetry; where to and how is said by the standard's own variables.
        trusted_proxies: how many proxies a request has passed when it comes here. What they say of the client is
            believed, so a number that is too high lets clients choose their address.
        graceful_seconds: how long requests may go on when the app is told to end.
        drain_seconds: how long the app takes requests as before, while it says at /health/ready that it will end.
        database_patience: seconds that a request waits for the database before it is answered with 503.
    """

    secret_key: str = field(repr=False)
    dsn: str = ""
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 2
    threads: int = 8
    max_body_bytes: int = 64 * 1024
    secure_cookies: bool = False
    email_key: str = field(repr=False, default_factory=partial(secrets.token_urlsafe, _SECRET_BYTES))
    live_streams: int = 4
    lab_limit: int = 120
    log: str = "text"
    log_level: str = "info"
    metrics: bool = False
    telemetry: bool = False
    trusted_proxies: int = 0
    graceful_seconds: int = 10
    drain_seconds: int = 0
    database_patience: int = 3

    @classmethod
    def read(
        cls,
        environment: Mapping[str, str] = os.environ,
        *,
        secret_key: str | None = None,
        email_key: str | None = None,
    ) -> "Config":
        """Read the environment.

        Args:
            environment: the variables.
            secret_key: what to sign with if LIBRARY_SECRET_KEY is not set; None insists on the variable.
            email_key: what to hash with if LIBRARY_EMAIL_KEY is not set; None insists on the variable.

        Raises:
            SettingRefused: with the variable, its value and what was expected.
        """
        given = _Variables(environment)
        threads = given.read("LIBRARY_THREADS", _number(1, 256), 8)
        config = cls(
            secret_key=given.read("LIBRARY_SECRET_KEY", _secret, secret_key),
            dsn=given.read("LIBRARY_DSN", str, ""),
            host=given.read("LIBRARY_HOST", str, "127.0.0.1"),
            port=given.read("LIBRARY_PORT", _number(1, 65_535), 5000),
            workers=given.read("LIBRARY_WORKERS", _number(1, 64), 2),
            threads=threads,
            max_body_bytes=given.read("LIBRARY_MAX_BODY_BYTES", _number(1024, 2**30), 64 * 1024),
            secure_cookies=given.read("LIBRARY_SECURE_COOKIES", _yes_or_no, default=False),
            live_streams=given.read("LIBRARY_LIVE_STREAMS", _number(0, threads - 1), threads // 2),
            lab_limit=given.read("LIBRARY_LAB_LIMIT", _number(10, 1_000_000), 120),
            email_key=given.read("LIBRARY_EMAIL_KEY", _secret, email_key),
            log=given.read("LIBRARY_LOG", _one_of("text", "json"), "text"),
            log_level=given.read("LIBRARY_LOG_LEVEL", _one_of("debug", "info", "warning", "error"), "info"),
            metrics=given.read("LIBRARY_METRICS", _yes_or_no, default=False),
            telemetry=_telemetry(environment),
            trusted_proxies=given.read("LIBRARY_TRUSTED_PROXIES", _number(0, 10), 0),
            graceful_seconds=given.read("LIBRARY_GRACEFUL_SECONDS", _number(1, 3600), 10),
            drain_seconds=given.read("LIBRARY_DRAIN_SECONDS", _number(0, 3600), 0),
            database_patience=given.read("LIBRARY_DATABASE_PATIENCE", _number(1, 60), 3),
        )
        given.refuse_what_nobody_reads()
        return config


def kept_secret(folder: Path, name: str, *, if_deleted: str) -> str:
    """A secret that a demo keeps in its data folder: made at the first start, readable for its owner only.

    Args:
        folder: made if it is not there.
        name: of the file.
        if_deleted: what follows from deleting the file, for whoever has to decide about one that cannot be used.

    Raises:
        SettingRefused: if the file cannot be read, or holds what cannot be a secret; with its path and the remedy.
    """
    file = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        _make_secret(file)
    try:
        return _secret(_utf8(file.read_text(encoding="utf-8", errors="surrogateescape").strip()))
    except OSError as error:
        raise SettingRefused(f"{file}: it cannot be read ({error.strerror})") from None
    except ValueError as reason:
        raise SettingRefused(f"{file}: {reason}. Restore it, or delete it: {if_deleted}") from None


def _make_secret(file: Path) -> None:
    """The file appears whole or not at all; if two make it at once, that of the quicker one stays."""
    # Temporary files are readable for their owner only, and so is what is linked to them.
    with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}-") as whole, suppress(FileExistsError):
        whole.write(secrets.token_urlsafe(_SECRET_BYTES))
        whole.flush()
        os.fsync(whole.fileno())
        os.link(whole.name, file)


class _Variables:
    """Reads variables, and remembers which: whatever else begins as ours do is a slip of the pen."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known = set[str]()

    def read(self, name: str, parse: Callable[[str], T], default: T | None) -> T:
        self._known.add(name)
        text = self._environment.get(name, "").strip()
        if not text:
            if default is None:
                raise SettingRefused(f"{name} is not set. It needs at least {SHORTEST_SECRET} random characters")
            return default
        try:
            return parse(_utf8(text))
        except ValueError as reason:
            raise SettingRefused(f"{name}: {reason}") from None

    def refuse_what_nobody_reads(self) -> None:
        for name in sorted(self._environment):
            if name.startswith("LIBRARY_") and name not in self._known | _OF_OTHERS:
                near = get_close_matches(name, self._known, n=1, cutoff=0.0)
                raise SettingRefused(f"{name}: there is no such setting. Is {near[0]} meant?")


def _telemetry(environment: Mapping[str, str]) -> bool:
    try:
        return asks_for_telemetry(environment)
    except ValueError as reason:
        raise SettingRefused(str(reason)) from None


def _utf8(text: str) -> str:
    """Python keeps bytes that are not UTF-8 as halves of surrogate pairs, which fail only where they are used."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("this is not UTF-8")
    return text


def _secret(text: str) -> str:
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"a secret needs at least {SHORTEST_SECRET} characters, this one has {len(text)}")
    return text


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text[:20]) <= highest):
            raise ValueError(f"expected a whole number from {lowest} to {highest}, not {text!r}")
        return int(text)

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"expected {', '.join(words[:-1])} or {words[-1]}, not {text!r}")
        return text.lower()

    return parse


def _yes_or_no(text: str) -> bool:
    words = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
    if text.lower() not in words:
        raise ValueError(f"expected yes or no, not {text!r}")
    return words[text.lower()]
