"""What every part of the contract is made of, and the abilities that an engine may lack."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import FunctionType
from typing import ClassVar, TypeVar

import pytest


class Ability(StrEnum):
    """What a useful engine may lack, if its owner says so. Everything else is the contract."""

    EXACTLY_ONCE = "appending stored events again returns the numbers they have"
    EXPLAINED_CONFLICTS = "a conflict names the first event that came between, the filter item it meets, and the head"
    FOREIGN_POSITIONS = "a position that this store has not reached is refused"
    THREADS = "several threads may use one store at a time"
    SUBSCRIPTIONS = "a stream can be followed as it grows"
    EXTREME_TIMES = "the first and the last moment that Python knows can be stored"


_Tests = TypeVar("_Tests", bound=Callable[..., object])


def needs(*abilities: Ability) -> Callable[[_Tests], _Tests]:
    """Mark a test, or every test of a part, as one that asks for these abilities."""

    def mark(tests: _Tests) -> _Tests:
        for test in (tests, *vars(tests).values()):  # the test itself, or the tests of a class
            if isinstance(test, FunctionType) and test.__name__.startswith("test_"):
                setattr(test, _NEEDED, (*getattr(test, _NEEDED, ()), *abilities))
        return tests

    return mark


_NEEDED = "needed_abilities"


class Part:
    """A part of the contract. A test class that inherits from it finds its engine in the fixture `engine`.

    Attributes:
        lacks: the abilities that the engine does without, each with the owner's reason. The tests that need one are
            skipped and say the reason.

    Raises:
        TypeError: when a class is defined that lacks something which is no `Ability`, or gives no reason.
    """

    lacks: ClassVar[Mapping[Ability, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for ability, reason in cls.lacks.items():
            if not isinstance(ability, Ability) or not reason:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"{cls.__name__}.lacks maps an Ability to a reason, not {ability!r} to {reason!r}")

    @pytest.fixture(autouse=True)
    def _skip_what_the_engine_lacks(self, request: pytest.FixtureRequest) -> None:
        for ability in getattr(request.function, _NEEDED, ()):
            if not self.engine_has(ability):
                pytest.skip(f"the engine lacks {ability.name} ({ability}): {self.lacks[ability]}")

    def engine_has(self, ability: Ability) -> bool:
        """Tell whether the engine's owner has not taken this ability back."""
        return ability not in self.lacks
