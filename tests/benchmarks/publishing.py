"""What every result must be: tables that fit a terminal, a file that says all, pictures."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.machine import Machine
from benchmarks.output import Result, publish

MACHINE = Machine("Abacus 3000", 2, 0.5, "18.6", {"fsync": "on"}, "3.11.7", "3.3.9")


def published(result: Result, folder: Path) -> tuple[str, dict[str, Any]]:
    """Publish a result; what was printed, and the parsed file.

    Raises:
        AssertionError: something was cut off, a file is missing, or the file and the result differ.
    """
    paper = StringIO()
    publish(Console(file=paper, width=80), result, MACHINE, folder)
    printed = paper.getvalue()
    assert "…" not in printed
    written = {path.suffix for path in folder.iterdir()}
    assert written == {".json", ".png", ".svg"}
    assert all(path.stat().st_size > 500 for path in folder.iterdir())
    document: dict[str, Any] = json.loads((folder / f"{result.name}.json").read_text(encoding="utf-8"))
    assert document["benchmark"] == result.name
    assert [line["what"] for line in document["budget"]] == [line.what for line in result.budget()]
    return printed, document
