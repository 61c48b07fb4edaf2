"""A list of copies as a CSV file: which rows are good, and what is wrong with the others.

The first row names the columns, as the API names them: ISBN, Title, … in any order, and BookID if the copies have ids
already. It also shows whether `,` or `;` stands between them: no name of a column has either. The cells are checked by
the slice's own fields.

A row without BookID means the first copy with exactly this data, or, if equal rows stand above it, the second, the
third and so on. So an id can be made of it that is the same in every reading of the list, wherever the row stands.
"""

import csv
import io
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, BinaryIO, Final, cast
from uuid import UUID, uuid5

from marshmallow import ValidationError

from slices.domain_event import json_key
from slices.lending.add_book_copy_to_circulation.routes import AddBookCopyToCirculationBody
from slices.web import Fields

_COPIES: Final = UUID("0d1c7b5e-52b8-5c8a-9d0e-6a3f0c9b2e47")
"""Namespace of the ids that are made of rows. Changing it makes other copies of the rows of every list."""

_REQUIRED: Final = {json_key(name): known.required for name, known in AddBookCopyToCirculationBody().fields.items()}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType]
_TELLING: Final = ("isbn", "title", "authors", "edition", "publisher", "publication_year")
"""What tells a row from others, in this order for ever: ids are made of it."""
COLUMNS: Final = ", ".join(name if needed else f"{name} (may be left out)" for name, needed in _REQUIRED.items())
"""What the first row may name, for people."""


class NoBookList(ValueError):
    """The first row does not say what the columns are. The message begins with its line."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"line 1: {reason}")


@dataclass(frozen=True, slots=True)
class GoodRow:
    """A copy.

    Attributes:
        line: in which the row begins, from 1 on.
        fields: what the command needs, checked and normalised; `book_id` is among them.
    """

    line: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is left out, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def read_book_list(file: BinaryIO) -> Iterator[GoodRow | BadRow]:
    """Read a list row by row; those without any text are skipped.

    Args:
        file: in UTF-8, with or without byte order mark.

    Raises:
        NoBookList: see there.
    """
    # What is no UTF-8 shall cost its own row only, so it is kept as halves of surrogate pairs until somebody looks.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        first = text.readline()
        rows = csv.reader(chain([first], text), delimiter=";" if ";" in first else ",", strict=True)
        columns = _columns(rows)
        checker = _Checker(columns)
        while True:
            line = rows.line_num + 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRow(line, _not_csv(str(error)))
                continue
            if any(cell.strip() for cell in cells):
                yield checker.checked(line, cells)
    finally:
        text.detach()


def _columns(rows: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip() for name in next(rows, list[str]())]
    except csv.Error as error:
        raise NoBookList(_not_csv(str(error))) from None
    if not any(columns):
        raise NoBookList(f"it has to name the columns: {COLUMNS}")
    for name in columns:
        if name not in _REQUIRED:
            raise NoBookList(f"there is no column {name!a}. The columns are {COLUMNS}")
    missing = [name for name, needed in _REQUIRED.items() if needed and name not in columns]
    if missing:
        raise NoBookList(f"there is no {' and no '.join(missing)}. The columns are {COLUMNS}")
    if len(set(columns)) < len(columns):
        raise NoBookList("a column is named twice")
    return columns


@dataclass(slots=True)
class _Checker:
    """Knows the rows above."""

    columns: list[str]
    body: AddBookCopyToCirculationBody = field(default_factory=AddBookCopyToCirculationBody)
    lines: dict[str, int] = field(default_factory=dict[str, int])
    """Where each BookID was given."""
    equal_rows: Counter[str] = field(default_factory=Counter[str])

    def checked(self, line: int, cells: list[str]) -> GoodRow | BadRow:
        if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
            return BadRow(line, "this is not UTF-8")
        if len(cells) != len(self.columns):
            return BadRow(line, f"it has {len(cells)} columns, and line 1 names {len(self.columns)}")
        given = {column: cell for column, cell in zip(self.columns, cells, strict=True) if cell.strip()}
        try:
            fields = cast("Fields", self.body.load(given))
        except ValidationError as error:
            wrong = cast("dict[str, list[str]]", cast("Any", error).messages)
            return BadRow(line, " ".join(f"{column}: {' '.join(said)}" for column, said in wrong.items()))
        if "book_id" not in fields:
            return GoodRow(line, fields | {"book_id": self._id_of(fields)})
        before = self.lines.setdefault(fields["book_id"], line)
        if before != line:
            return BadRow(line, f"the BookID {fields['book_id']} stands in line {before} already")
        return GoodRow(line, fields)

    def _id_of(self, fields: Fields) -> str:
        told = json.dumps([fields[name] for name in _TELLING], ensure_ascii=False)
        data = unicodedata.normalize("NFC", told)  # programs differ in how they write an accent
        self.equal_rows[data] += 1
        return str(uuid5(_COPIES, f"{data}\n{self.equal_rows[data]}"))


def _not_csv(error: str) -> str:
    if error == "unexpected end of data":
        return "a quotation mark is opened in this row and not closed; all that follows would be one text"
    return f"this is not CSV: {error}"
