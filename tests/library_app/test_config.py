"""Settings come from the environment, and wrong ones are refused by name."""

import os
import re
import stat
from pathlib import Path
from typing import Any, ClassVar

import pytest

import library_app
from library_app.config import Config, SettingRefused, kept_secret
from library_app.operations import otlp

README = Path(library_app.__file__).with_name("README.md")
SECRETS = {"LIBRARY_SECRET_KEY": "0123456789abcdef", "LIBRARY_EMAIL_KEY": "fedcba9876543210"}


def test_defaults_listen_on_this_machine_only() -> None:
    config = Config.read(SECRETS)
    assert (config.host, config.port, config.max_body_bytes) == ("127.0.0.1", 5000, 64 * 1024)


def test_everything_can_be_set() -> None:
    given = {
        **SECRETS,
        "LIBRARY_DSN": "postgresql://db/library",
        "LIBRARY_HOST": "0.0.0.0",
        "LIBRARY_PORT": "80",
        "LIBRARY_WORKERS": "3",
        "LIBRARY_THREADS": "4",
        "LIBRARY_MAX_BODY_BYTES": "2048",
        "LIBRARY_SECURE_COOKIES": "yes",
        "LIBRARY_LIVE_STREAMS": "3",
        "LIBRARY_LAB_LIMIT": "60",
        "LIBRARY_LOG": "JSON",
        "LIBRARY_LOG_LEVEL": "warning",
        "LIBRARY_METRICS": "yes",
        "LIBRARY_TRUSTED_PROXIES": "2",
        "LIBRARY_GRACEFUL_SECONDS": "30",
        "LIBRARY_DRAIN_SECONDS": "5",
        "LIBRARY_DATABASE_PATIENCE": "1",
        "LIBRARY_POOLER_DSN": "postgresql://pooler/library",
        "LIBRARY_REPLICA_DSN": "host=replica dbname=library",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    }
    assert Config.read(given) == Config(
        "0123456789abcdef",
        "postgresql://db/library",
        "0.0.0.0",
        80,
        3,
        4,
        2048,
        True,
        "fedcba9876543210",
        3,
        60,
        log="json",
        log_level="warning",
        metrics=True,
        telemetry=True,
        trusted_proxies=2,
        graceful_seconds=30,
        drain_seconds=5,
        database_patience=1,
        pooler_dsn="postgresql://pooler/library",
        replica_dsn="host=replica dbname=library",
    )


class Remembering(dict[str, str]):
    """An environment that knows what it was asked for."""

    asked: ClassVar[set[str]] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


def test_the_readme_tells_of_every_variable_that_is_read_and_of_no_other() -> None:
    Config.read(Remembering(SECRETS))
    table = README.read_text(encoding="utf-8").split("\n## Configuration\n")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `(LIBRARY_\w+)` \|", table, re.MULTILINE))
    assert told == {name for name in Remembering.asked if name.startswith("LIBRARY_")}


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("LIBRARY_THREAD", "LIBRARY_THREADS"),
        ("LIBRARY_LOGLEVEL", "LIBRARY_LOG_LEVEL"),
        ("LIBRARY_PROT", "LIBRARY_PORT"),
    ],
)
def test_a_slip_of_the_pen_is_refused_with_the_name_that_was_meant(slip: str, meant: str) -> None:
    with pytest.raises(SettingRefused, match=f"^{slip}: there is no such setting. Is {meant} meant?"):
        Config.read({**SECRETS, slip: "8"})


def test_a_variable_of_compilers_is_not_taken_for_a_slip() -> None:
    assert Config.read({**SECRETS, "LIBRARY_PATH": "/usr/lib"}) == Config.read(SECRETS)


def test_telemetry_is_off_without_an_endpoint_or_if_the_standard_variable_says_so() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector/v1/traces"}
    assert not Config.read(SECRETS).telemetry
    assert Config.read({**SECRETS, **endpoint}).telemetry
    assert not Config.read({**SECRETS, **endpoint, "OTEL_SDK_DISABLED": "True"}).telemetry


def test_telemetry_that_is_not_installed_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "_LIBRARY", "opentelemetry_that_nobody_installed")
    with pytest.raises(SettingRefused, match=rf"^{otlp.ENDPOINT}: .*\[telemetry\]"):
        Config.read({**SECRETS, otlp.ENDPOINT: "http://collector:4318"})
    assert not Config.read(SECRETS).telemetry


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIBRARY_PORT", "0"),
        ("LIBRARY_PORT", "65536"),
        ("LIBRARY_PORT", "http"),
        ("LIBRARY_PORT", "-1"),
        ("LIBRARY_PORT", "9" * 5000),
        ("LIBRARY_WORKERS", "0"),
        ("LIBRARY_THREADS", "1.5"),
        ("LIBRARY_MAX_BODY_BYTES", "10"),
        ("LIBRARY_SECURE_COOKIES", "maybe"),
        ("LIBRARY_LIVE_STREAMS", "8"),
        ("LIBRARY_LIVE_STREAMS", "-1"),
        ("LIBRARY_LAB_LIMIT", "9"),  # not even one race
        ("LIBRARY_LOG", "xml"),
        ("LIBRARY_LOG_LEVEL", "loud"),
        ("LIBRARY_METRICS", "9090"),
        ("LIBRARY_TRUSTED_PROXIES", "10.0.0.1"),
        ("LIBRARY_TRUSTED_PROXIES", "11"),
        ("LIBRARY_GRACEFUL_SECONDS", "0"),
        ("LIBRARY_DRAIN_SECONDS", "-1"),
        ("LIBRARY_DATABASE_PATIENCE", "0.5"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("LIBRARY_SECRET_KEY", "short"),
        ("LIBRARY_EMAIL_KEY", "fifteen letters"),
        ("LIBRARY_POOLER_DSN", "pooler"),
        ("LIBRARY_REPLICA_DSN", "postgresql://[::1"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingRefused, match=f"^{name}: "):
        Config.read({**SECRETS, name: value})


@pytest.mark.parametrize(("threads", "streams"), [("1", 0), ("2", 1), ("3", 1), ("8", 4), ("256", 128)])
def test_streams_leave_at_least_half_of_the_threads_to_everybody_else(threads: str, streams: int) -> None:
    assert Config.read({**SECRETS, "LIBRARY_THREADS": threads}).live_streams == streams


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_needed_unless_the_caller_has_them(name: str) -> None:
    others = {other: value for other, value in SECRETS.items() if other != name}
    with pytest.raises(SettingRefused, match=f"^{name} is not set"):
        Config.read(others)
    given = Config.read(others, secret_key="the secret of the caller", email_key="the key of the caller")
    assert (given.secret_key, given.email_key) in {
        ("the secret of the caller", "fedcba9876543210"),
        ("0123456789abcdef", "the key of the caller"),
    }


def test_a_config_shows_no_secrets() -> None:
    shown = repr(Config.read(SECRETS))
    assert not [secret for secret in SECRETS.values() if secret in shown]


def test_a_config_without_a_key_for_addresses_gets_one_of_its_own() -> None:
    first, second = Config("0123456789abcdef"), Config("0123456789abcdef")
    assert len(first.email_key) >= 32
    assert first.email_key != second.email_key


@pytest.mark.parametrize("name", [*SECRETS, "LIBRARY_DSN"])
def test_what_is_not_utf_8_is_refused_at_the_start_and_not_at_its_first_use(name: str) -> None:
    from_bytes = b"0123456789abcdef\xff".decode("utf-8", "surrogateescape")
    with pytest.raises(SettingRefused, match=f"^{name}: this is not UTF-8$"):
        Config.read({**SECRETS, name: from_bytes})


def kept(folder: Path, name: str = "email-key") -> str:
    return kept_secret(folder, name, if_deleted="everything is forgotten")


@pytest.mark.parametrize("name", ["secret-key", "email-key"])
def test_the_demo_keeps_its_secrets_for_its_owner_only(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    secret = kept(folder, name)
    assert len(secret) >= 32
    assert kept(folder, name) == secret
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == [name]


def test_the_secrets_of_the_demo_are_two(tmp_path: Path) -> None:
    assert kept(tmp_path, "secret-key") != kept(tmp_path, "email-key")


def test_a_demo_that_dies_while_it_makes_a_secret_starts_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dies(BaseException):
        """The process ends here."""

    def die(*_: object) -> None:
        raise Dies

    for step in ("fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, die)
            with pytest.raises(Dies):
                kept(tmp_path)
        assert not (tmp_path / "email-key").exists()
    assert len(kept(tmp_path)) >= 32


def test_two_demos_that_start_at_once_have_one_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, of_the_quicker = os.fsync, list[str]()

    def slowly(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        of_the_quicker.append(kept(tmp_path))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slowly)
    assert [kept(tmp_path)] == of_the_quicker


@pytest.mark.parametrize("content", [b"", b"short", b"0123456789abcdef\xff"])
def test_a_secret_that_was_damaged_is_refused_with_its_file_and_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "email-key"
    file.write_bytes(content)
    with pytest.raises(SettingRefused) as refused:
        kept(tmp_path)
    assert str(refused.value).startswith(f"{file}: ")
    assert str(refused.value).endswith("Restore it, or delete it: everything is forgotten")
    file.unlink()
    assert len(kept(tmp_path)) >= 32


def test_a_secret_that_cannot_be_read_is_refused_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "email-key").mkdir()
    with pytest.raises(SettingRefused, match=r"email-key: it cannot be read \(Is a directory\)"):
        kept(tmp_path)


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
def test_another_protocol_of_telemetry_is_refused(name: str) -> None:
    with pytest.raises(SettingRefused, match=f"^{name}: "):
        Config.read({**SECRETS, otlp.ENDPOINT: "http://collector:4317", name: "grpc"})
