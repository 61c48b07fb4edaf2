"""The program on the page of the race kit: a stranger's store, held to the kit."""

import re
from pathlib import Path
from typing import Any

import pytest

import eventstore.testing

PAGE = Path(eventstore.testing.__file__).with_name("README.md").read_text(encoding="utf-8")


def test_the_program_prints_what_the_page_says(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    section = PAGE[PAGE.index("## Hold your own store to it") :]
    program, race = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    [printed] = re.findall(r"It prints:\n\n```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"dsn": dsn}
    exec(compile(program, "the program", "exec"), names)
    assert capsys.readouterr().out == printed
    exec(compile(race, "the race", "exec"), names)
    assert capsys.readouterr().out == "every guard held\n"
    assert names["report"].conflicts
