"""What the package promises about itself: its README runs, and it needs nothing but psycopg and its pool."""

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import psycopg
from packaging.requirements import Requirement
from psycopg.sql import SQL, Identifier

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "eventstore/docs").glob("*.md"))
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_program_in_the_readme_runs(dsn: str, table: str) -> None:
    program, *others = PYTHON_BLOCK.findall((ROOT / "eventstore/README.md").read_text())
    for other in [*others, *(block for page in PAGES for block in PYTHON_BLOCK.findall(page.read_text()))]:
        compile(other, "README.md", "exec")
    [snapshots] = [other for other in others if "replayed(" in other]
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(table)))
    printed = io.StringIO()
    names = {"dsn": psycopg.conninfo.make_conninfo(dsn, dbname=table)}
    with redirect_stdout(printed):
        exec(program, names)
        exec(snapshots, names)
    assert printed.getvalue().splitlines() == [
        "0 events, read up to position 0",
        "event 1 (BookCopyLentToReader) was appended after position 0 and matches BookCopyAddedToCirculation or"
        ' BookCopyLentToReader or BookCopyReturnedByReader with BookID = "4f1c2a" or ReaderID = "9b3d07"',
        "1 lendings, 1 events folded",
    ]


def test_the_package_needs_nothing_but_psycopg_and_its_pool(tmp_path: Path) -> None:
    """An environment with the standard library, psycopg[binary,pool] and eventstore, and nothing else."""
    for name in _with_dependencies("psycopg[binary,pool]"):
        for file in {path.parts[0] for path in distribution(name).files or [] if ".." not in path.parts}:
            link = tmp_path / file
            if not link.exists():
                link.symlink_to(Path(str(distribution(name).locate_file(file))))
    (tmp_path / "eventstore").symlink_to(ROOT / "eventstore")
    program = f"""
import sys
sys.path.append({str(tmp_path)!r})  # -I and -S have left the standard library alone
import eventstore, eventstore.postgres, eventstore.testing.race
names = {{"flask", "msgspec", "marshmallow", "click", "slices", "library_app", "pytest", "hypothesis"}}
foreign = names & set(sys.modules)
assert not foreign, foreign
from eventstore.postgres import PostgresEventStore
"""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert finished.returncode == 0, finished.stderr


def _with_dependencies(requirement: str, seen: frozenset[str] = frozenset()) -> set[str]:
    parsed = Requirement(requirement)
    found = {parsed.name}
    for extra in ["", *parsed.extras]:
        for text in distribution(parsed.name).requires or []:
            needed = Requirement(text)
            wanted = needed.marker is None or needed.marker.evaluate({"extra": extra})
            if wanted and needed.name not in seen | found:
                try:
                    found |= _with_dependencies(str(needed).split(";")[0], seen | found)
                except PackageNotFoundError:
                    continue
    return found
