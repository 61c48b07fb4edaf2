"""What people and programs may send: marshmallow fields that normalise, or say in one sentence what is wrong."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields

from slices.domain_event import json_key

T = TypeVar("T")

_UUID: Final = re.compile(
    r"(?:urn:uuid:)?(\{)?([0-9a-f]{8}(-?)[0-9a-f]{4}\3[0-9a-f]{4}\3[0-9a-f]{4}\3[0-9a-f]{12})(?(1)\})"
)
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_UNPRINTABLE: Final = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, halves of surrogate pairs, and line and paragraph separators."""
_IN_REGEX: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_ONE_LINE: Final = rf"^[^{_IN_REGEX}]*[^\s{_IN_REGEX}][^{_IN_REGEX}]*$"
"""What `Text` takes, for the OpenAPI document."""


class View(Schema):
    """A JSON object whose keys are spelled as in the events: `book_id` is `BookID`."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the field. Called by marshmallow for each one."""
        field_obj.data_key = json_key(field_name)


class AnswerView(View):
    """The answer to a question."""

    position = fields.Integer(metadata={"description": "The store was read up to here."})


def many(view: type[View]) -> fields.List[Any]:
    """A list of such objects."""
    return fields.List(fields.Nested(view))


class Body(View):
    """What is sent, as a JSON object or as a form. Keys that are not expected are refused."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such field."}  # noqa: RUF012 (marshmallow's own way)


class Asked(Schema):
    """What may stand in the query string of a question. Parameters that are not expected are refused."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such parameter."}  # noqa: RUF012 (marshmallow's own way)


def id_keys(body: Body) -> tuple[str, ...]:
    """The keys of the ids among the fields, such as "BookID"."""
    return tuple(json_key(name) for name, field in _fields_of(body).items() if isinstance(field, Id))


def hashed(body: Body, sent: Mapping[str, Any], keyed_hash: Callable[[str], str]) -> dict[str, Any]:
    """The fields with a keyed hash in the place of every address: what was `email` is `email_hash`.

    Whoever receives fields from people or programs calls this before anything else sees them. So an address can reach
    neither a command nor an event, neither the record of a request nor a log.

    Args:
        body: knows which fields are addresses.
        sent: what `body` has loaded.
        keyed_hash: see `CommandEdge.keyed_hash`.
    """
    checked = _fields_of(body)
    addresses = {name for name in sent if isinstance(checked[name], Email)}
    hashes = {f"{name}_hash": keyed_hash(sent[name]) for name in addresses}
    return {name: value for name, value in sent.items() if name not in addresses} | hashes


def _fields_of(body: Body) -> Mapping[str, fields.Field[Any]]:
    return cast("Mapping[str, fields.Field[Any]]", body.fields)  # pyright: ignore[reportUnknownMemberType]


class _Checked(fields.Field[T]):
    """What `clean` makes of a value. Needed unless `required` is False."""

    def __init__(self, *, required: bool = True, **openapi: Any) -> None:
        messages: dict[str, Any] = {"required": "This is needed.", "null": "This is needed."}
        super().__init__(required=required, error_messages=messages, metadata=openapi)  # pyright: ignore[reportUnknownMemberType]

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> T:  # noqa: ARG002
        return self.clean(value)

    def clean(self, value: object) -> T:
        """Return the value as it is to be stored, or raise ValidationError."""
        raise NotImplementedError


class Id(_Checked[str]):
    """Any spelling of a UUID, turned into the one that is stored: two spellings would be two boundaries."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(required=required, type="string", format="uuid")

    def clean(self, value: object) -> str:
        """Lower-case and hyphenated."""
        found = _UUID.fullmatch(value.strip().lower()) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("Not a valid UUID.")
        return str(UUID(found[2]))


class Text(_Checked[str]):
    """One line of text, at most so many characters long."""

    def __init__(self, longest: int) -> None:
        super().__init__(type="string", minLength=1, maxLength=longest, pattern=_ONE_LINE)
        self.longest = longest

    def clean(self, value: object) -> str:
        """Without space around it."""
        if not isinstance(value, str):
            raise ValidationError("Not a text.")
        text = value.strip()
        if not text:
            raise ValidationError("This is needed.")
        if len(text) > self.longest:
            raise ValidationError(f"At most {self.longest} characters, please; these are {len(text)}.")
        if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
            raise ValidationError("One line of printable characters, please.")
        return text


class Email(_Checked[str]):
    """An e-mail address, in the one spelling under which it is hashed: two spellings would be two addresses.

    Capitals, the encoding of accents and space around it make no difference; everything else does. Slices declare the
    field and never see what is in it: `hashed` comes first.
    """

    longest: Final = 254

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(required=required, type="string", format="email", maxLength=self.longest)

    def clean(self, value: object) -> str:
        """Casefolded and NFC-normalised.

        Before folding, so that every encoding of an accent folds alike, and after it, for folding can take characters
        apart. What Unicode does not define yet is not printable, and refused: it might fold differently one day.
        """
        if not isinstance(value, str):
            raise ValidationError("Not a text.")
        folded = unicodedata.normalize("NFC", value.strip()).casefold()
        address = unicodedata.normalize("NFC", folded)
        before, _, after = address.partition("@")
        if not (before and after) or "@" in after or " " in address or not address.isprintable():
            raise ValidationError(
                "Not an e-mail address: it has one @ with something on both sides, and neither spaces nor invisible"
                " characters."
            )
        if len(address) > self.longest:
            raise ValidationError(f"At most {self.longest} characters, please.")
        return address


class WholeNumber(_Checked[int]):
    """A whole number within bounds, written as a number or in digits. A truth value is no number."""

    def __init__(self, lowest: int, highest: int, *, required: bool = True) -> None:
        super().__init__(required=required, type="integer", minimum=lowest, maximum=highest)
        self.lowest = lowest
        self.highest = highest

    def clean(self, value: object) -> int:
        """As an int."""
        number = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value.strip()) else value
        if not isinstance(number, int) or isinstance(number, bool):
            raise ValidationError("Not a whole number.")
        if not self.lowest <= number <= self.highest:
            raise ValidationError(f"A number from {self.lowest} to {self.highest}, please.")
        return number


class PublicationYear(_Checked[int]):
    """A year of print. Next year's books are delivered this year."""

    def __init__(self) -> None:
        # The document is as old as the process; after a new year it promises a year less than is taken.
        super().__init__(type="integer", minimum=1000, maximum=_next_year())

    def clean(self, value: object) -> int:
        """As an int."""
        return WholeNumber(1000, _next_year()).clean(value)


class Isbn(_Checked[str]):
    """An ISBN-13 or ISBN-10, with or without hyphens and spaces."""

    def __init__(self) -> None:
        super().__init__(type="string", format="isbn", example="978-1-098-10013-1")

    def clean(self, value: object) -> str:
        """As 13 digits."""
        characters = re.sub(r"[\s\-‐‑‒–]", "", value).upper() if isinstance(value, str) else ""
        if re.fullmatch("97[89][0-9]{10}", characters):
            expected = _check_digit_13(characters[:12])
        elif re.fullmatch("[0-9]{9}[0-9X]", characters):
            expected = _check_digit_10(characters[:9])
        else:
            raise ValidationError("Not an ISBN: it has 13 digits and begins with 978 or 979, or it has 10.")
        if characters[-1] != expected:
            raise ValidationError("The check digit of this ISBN is wrong: one of its digits may be mistyped.")
        if len(characters) == 13:
            return characters
        twelve = "978" + characters[:9]
        return twelve + _check_digit_13(twelve)


def _next_year() -> int:
    return datetime.now(UTC).year + 1


def _check_digit_13(twelve: str) -> str:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve))
    return str(-total % 10)


def _check_digit_10(nine: str) -> str:
    remainder = -sum(int(digit) * (10 - place) for place, digit in enumerate(nine)) % 11
    return "X" if remainder == 10 else str(remainder)
