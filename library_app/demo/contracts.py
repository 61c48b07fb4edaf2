"""What happens to contracts and addresses: claimed, changed, refused, released; ended, and begun again."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from library_app.demo.steps import Expected, Step, new_id, opening_time
from slices.fields import Email
from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.lending.cancel_reader_contract.handler import CancelReaderContractHandler
from slices.lending.claim_reader_email.command import ClaimReaderEmail
from slices.lending.claim_reader_email.handler import ClaimReaderEmailHandler
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.register_reader.command import RegisterReader
from slices.lending.register_reader.handler import RegisterReaderHandler


def plan(
    others: Iterable[Step], start: datetime, chance: random.Random, keyed_hash: Callable[[str], str]
) -> list[Step]:
    """Decide what happens to the contracts of readers who come and go, and to some addresses.

    Args:
        others: what else happens: who is a reader, and has books.
        start: when the history begins.
        chance: decides about hours and ids.
        keyed_hash: of an address.
    """
    contracts = _Contracts(start, chance, keyed_hash)
    written = (step.command for step in others if step.expected == "written")
    done = sorted(written, key=lambda command: command.occurred_at)
    first, second, third, *_ = (command for command in done if isinstance(command, RegisterReader))

    contracts.claim(first.reader_id, _address_of(first.name), 8)
    contracts.claim(second.reader_id, _address_of(second.name), 9)
    contracts.claim(second.reader_id, _address_of(second.name, host="example.net"), 17)
    contracts.claim(third.reader_id, _address_of(first.name).upper(), 19, "rejected")

    thinks_better_of_it = contracts.register("Teresa Alves", 7)
    contracts.cancel(thinks_better_of_it, opening_time(start, 21, chance))
    contracts.register("Teresa Alves", 32, thinks_better_of_it)

    moves_away = contracts.register("Björn Halvorsen", 10)
    contracts.cancel(moves_away, opening_time(start, 28, chance))

    lendings = (command for command in done if isinstance(command, LendBookToReader))
    lending = next(lending for lending in lendings if lending.occurred_at >= start + timedelta(days=24))
    contracts.cancel(lending.reader_id, lending.occurred_at + timedelta(seconds=9), "rejected")
    return contracts.steps


@dataclass(slots=True)
class _Contracts:
    start: datetime
    chance: random.Random
    keyed_hash: Callable[[str], str]
    steps: list[Step] = field(default_factory=list[Step])

    def register(self, name: str, day: int, reader_id: str | None = None) -> str:
        """Somebody registers with an address, or again."""
        at = opening_time(self.start, day, self.chance)
        reader_id = reader_id or new_id(at, self.chance)
        command = RegisterReader(reader_id, name, at, self._hash_of(_address_of(name)))
        self.steps.append(Step(command, RegisterReaderHandler, "written"))
        return reader_id

    def claim(self, reader_id: str, address: str, day: int, expected: Expected = "written") -> None:
        at = opening_time(self.start, day, self.chance)
        command = ClaimReaderEmail(reader_id, self._hash_of(address), at)
        self.steps.append(Step(command, ClaimReaderEmailHandler, expected))

    def cancel(self, reader_id: str, at: datetime, expected: Expected = "written") -> None:
        self.steps.append(Step(CancelReaderContract(reader_id, at), CancelReaderContractHandler, expected))

    def _hash_of(self, address: str) -> str:
        return self.keyed_hash(Email().clean(address))


def _address_of(name: str, *, host: str = "example.org") -> str:
    return ".".join(name.lower().replace("'", "").split()) + "@" + host
