"""What the files for containers say fits to what the app does; that they work is tried where there is Docker."""

import re
from pathlib import Path

from eventstore.postgres.pool import _SETTINGS
from library_app import Config

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "docker-compose.app.yml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def test_every_secret_is_needed_and_none_has_a_value_to_be_forgotten() -> None:
    needed = set(re.findall(r"\$\{(\w+)-\}", COMPOSE))
    assert needed == set(re.findall(r"^(\w+)=$", EXAMPLE, re.MULTILINE))
    [looked_at] = re.findall(r"for name in (.*); do", COMPOSE)
    assert needed == set(looked_at.split())
    optional = set(re.findall(r"\$\{(\w+):-", COMPOSE)) - {"BASE", "POOLER_BASE"}
    assert optional == set(re.findall(r"^(\w+)=.+$", EXAMPLE, re.MULTILINE))


def test_the_app_is_given_settings_that_it_has() -> None:
    app = COMPOSE.split("\n  app:")[1].split("\n  init:")[0]
    given = dict.fromkeys(re.findall(r"^ +(LIBRARY_\w+): ", app, re.MULTILINE), "")
    assert given.keys() >= {"LIBRARY_DSN", "LIBRARY_POOLER_DSN", "LIBRARY_REPLICA_DSN", "LIBRARY_SECRET_KEY"}
    assert Config.read(given, secret_key="a secret for the tests", email_key="a key for the tests")


def test_sessions_behind_the_pooler_have_the_settings_of_ours() -> None:
    [query] = re.findall(r"connect_query='(.*)'", COMPOSE)
    assert query.split("; ") == [f"SET {name} = {value}" for name, value in _SETTINGS.items()]


def test_the_image_is_built_from_the_packages_and_nothing_else() -> None:
    let_in = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile, re.MULTILINE) for name in line.split()}
    assert copied == let_in
