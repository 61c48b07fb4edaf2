"""Settings come from the environment, and wrong ones are refused by name."""

import stat
from pathlib import Path

import pytest

from library_app.config import Config, SettingRefused, kept_secret

SECRET = {"LIBRARY_SECRET_KEY": "0123456789abcdef"}


def test_defaults_listen_on_this_machine_only() -> None:
    config = Config.read(SECRET)
    assert (config.host, config.port, config.max_body_bytes) == ("127.0.0.1", 5000, 64 * 1024)


def test_everything_can_be_set() -> None:
    given = {
        **SECRET,
        "LIBRARY_DSN": "postgresql://db/library",
        "LIBRARY_HOST": "0.0.0.0",
        "LIBRARY_PORT": "80",
        "LIBRARY_WORKERS": "3",
        "LIBRARY_THREADS": "4",
        "LIBRARY_MAX_BODY_BYTES": "2048",
        "LIBRARY_SECURE_COOKIES": "yes",
    }
    assert Config.read(given) == Config("0123456789abcdef", "postgresql://db/library", "0.0.0.0", 80, 3, 4, 2048, True)


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
        ("LIBRARY_SECRET_KEY", "short"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingRefused, match=f"^{name}: "):
        Config.read({**SECRET, name: value})


def test_a_secret_is_needed() -> None:
    with pytest.raises(SettingRefused, match=r"^LIBRARY_SECRET_KEY is not set"):
        Config.read({})


def test_the_demo_keeps_its_secret_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    secret = kept_secret(folder)
    assert len(secret) >= 32
    assert kept_secret(folder) == secret
    assert stat.S_IMODE((folder / "secret-key").stat().st_mode) == 0o600
