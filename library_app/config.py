"""What can be configured: environment variables, read once into one frozen object. README.md lists them."""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

SHORTEST_SECRET = 16
_SECRET_BYTES = 32

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
        pooler_dsn: libpq connection string of a pooler in front of that database; empty if there is none.
        replica_dsn: libpq connection string of a hot standby of that database; empty if there is none.
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
    pooler_dsn: str = ""
    replica_dsn: str = ""

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
        threads = _read(environment, "LIBRARY_THREADS", _number(1, 256), 8)
        return cls(
            secret_key=_read(environment, "LIBRARY_SECRET_KEY", _secret, secret_key),
            dsn=_read(environment, "LIBRARY_DSN", str, ""),
            host=_read(environment, "LIBRARY_HOST", str, "127.0.0.1"),
            port=_read(environment, "LIBRARY_PORT", _number(1, 65_535), 5000),
            workers=_read(environment, "LIBRARY_WORKERS", _number(1, 64), 2),
            threads=threads,
            max_body_bytes=_read(environment, "LIBRARY_MAX_BODY_BYTES", _number(1024, 2**30), 64 * 1024),
            secure_cookies=_read(environment, "LIBRARY_SECURE_COOKIES", _yes_or_no, default=False),
            live_streams=_read(environment, "LIBRARY_LIVE_STREAMS", _number(0, threads - 1), threads // 2),
            lab_limit=_read(environment, "LIBRARY_LAB_LIMIT", _number(10, 1_000_000), 120),
            pooler_dsn=_read(environment, "LIBRARY_POOLER_DSN", _connection_string, ""),
            replica_dsn=_read(environment, "LIBRARY_REPLICA_DSN", _connection_string, ""),
            email_key=_read(environment, "LIBRARY_EMAIL_KEY", _secret, email_key),
        )


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


def _read(environment: Mapping[str, str], name: str, parse: Callable[[str], T], default: T | None) -> T:
    text = environment.get(name, "").strip()
    if not text:
        if default is None:
            raise SettingRefused(f"{name} is not set. It needs at least {SHORTEST_SECRET} random characters")
        return default
    try:
        return parse(_utf8(text))
    except ValueError as reason:
        raise SettingRefused(f"{name}: {reason}") from None


def _utf8(text: str) -> str:
    """Python keeps bytes that are not UTF-8 as halves of surrogate pairs, which fail only where they are used."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("this is not UTF-8")
    return text


def _secret(text: str) -> str:
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"a secret needs at least {SHORTEST_SECRET} characters, this one has {len(text)}")
    return text


def _connection_string(text: str) -> str:
    try:
        conninfo_to_dict(text)
    except ProgrammingError:  # what libpq says about it may repeat a password
        raise ValueError("expected a connection string of libpq, such as postgresql://library@host/library") from None
    return text


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text[:20]) <= highest):
            raise ValueError(f"expected a whole number from {lowest} to {highest}, not {text!r}")
        return int(text)

    return parse


def _yes_or_no(text: str) -> bool:
    words = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
    if text.lower() not in words:
        raise ValueError(f"expected yes or no, not {text!r}")
    return words[text.lower()]
