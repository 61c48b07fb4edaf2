"""Who waits for copies, and what comes of it: fitted into the loans of a history, none of which turns out otherwise.

A hold keeps a copy from everybody else. So who collects a held copy is whoever borrows it next anyway, and a hold that
nobody collects is over, or lasts until the end of the history, before anybody else wants the copy.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from library_app.demo.steps import Step
from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.cancel_reservation.command import CancelReservation
from slices.lending.cancel_reservation.handler import CancelReservationHandler
from slices.lending.expire_holds.command import ExpireHolds
from slices.lending.expire_holds.handler import ExpireHoldsHandler
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.limits import TIME_TO_COLLECT
from slices.lending.register_reader.command import RegisterReader
from slices.lending.reserve_book.command import ReserveBook
from slices.lending.reserve_book.handler import ReserveBookHandler
from slices.lending.return_book_from_reader.command import ReturnBookFromReader

_A_DAY: Final = timedelta(days=1)
_USUAL: Final = (AddBookCopyToCirculation, RegisterReader, LendBookToReader, ReturnBookFromReader)
"""Copies and readers to which anything else happens are left alone: it might not fit a reservation."""


def plan(others: Iterable[Step], now: datetime) -> list[Step]:
    """Decide who reserves what.

    Args:
        others: what happens in the history: who borrows what until when.
        now: the history ends here.
    """
    reservations = _Reservations.among([*others])
    reservations.give_up()
    reservations.collect()
    reservations.come_too_late()
    reservations.have_until(now)
    reservations.wait_until(now)
    return reservations.steps


@dataclass(frozen=True, slots=True)
class _Loan:
    """A reader has a copy, and brings it back; then somebody else borrows it. As far as it is planned."""

    begun: LendBookToReader
    returned: datetime | None = None
    following: LendBookToReader | None = None

    @property
    def free_for(self) -> timedelta:
        """How long the copy then lies on the shelf; nothing if it does not come back, very long if it stays there."""
        if self.returned is None:
            return timedelta()
        return self.following.occurred_at - self.returned if self.following else timedelta.max

    def lasts(self, at_least: timedelta) -> bool:
        """Whether the copy is away for so long, or does not come back."""
        return self.returned is None or self.returned - self.begun.occurred_at >= at_least


@dataclass(slots=True)
class _Reservations:
    loans: list[_Loan]
    registered: list[RegisterReader]
    taken: set[str]
    """Copies and readers that are spoken for: each gets one story."""
    steps: list[Step] = field(default_factory=list[Step])

    @classmethod
    def among(cls, others: list[Step]) -> "_Reservations":
        unusual = [step.command for step in others if not isinstance(step.command, _USUAL)]
        ids = {getattr(command, name, "") for command in unusual for name in ("book_id", "reader_id")}
        done = sorted((step.command for step in others if step.expected == "written"), key=_time_of)
        return cls(_loans(done), [command for command in done if isinstance(command, RegisterReader)], ids)

    def give_up(self) -> None:
        """Somebody waits for a day, and does not want to wait any longer."""
        for loan in self._first(lambda loan: loan.lasts(4 * _A_DAY)):
            at = loan.begun.occurred_at + _A_DAY
            reader_id = self._reserve(loan, at)
            command = CancelReservation(loan.begun.book_id, reader_id, at + _A_DAY)
            self.steps.append(Step(command, CancelReservationHandler, "written"))

    def collect(self) -> None:
        """Somebody waits, and comes for the copy in time."""
        for loan in self._first(lambda loan: loan.lasts(2 * _A_DAY) and self._is_collected_by_who_follows(loan)):
            assert loan.following is not None
            self._reserve(loan, loan.begun.occurred_at + _A_DAY, loan.following.reader_id)

    def come_too_late(self) -> None:
        """Somebody waits, and does not come in time."""
        enough = TIME_TO_COLLECT + timedelta(hours=1)
        for loan in self._first(lambda loan: loan.lasts(2 * _A_DAY) and enough < loan.free_for < timedelta.max):
            assert loan.returned is not None
            self._reserve(loan, loan.begun.occurred_at + _A_DAY)
            command = ExpireHolds(loan.begun.book_id, loan.returned + TIME_TO_COLLECT + timedelta(minutes=20))
            self.steps.append(Step(command, ExpireHoldsHandler, "written"))

    def have_until(self, now: datetime) -> None:
        """At the end a copy lies ready, and another one too long; nobody has looked over the hold shelf yet."""

        def stays(loan: _Loan, after: timedelta, before: timedelta) -> bool:
            came_back = now - loan.returned if loan.returned else timedelta()
            return loan.lasts(2 * _A_DAY) and loan.free_for == timedelta.max and after < came_back < before

        for loan in self._first(lambda loan: stays(loan, timedelta(), TIME_TO_COLLECT - timedelta(hours=4))):
            self._reserve(loan, loan.begun.occurred_at + _A_DAY)
        for loan in self._first(lambda loan: stays(loan, TIME_TO_COLLECT, 4 * TIME_TO_COLLECT)):
            self._reserve(loan, loan.begun.occurred_at + _A_DAY)

    def wait_until(self, now: datetime) -> None:
        """At the end two readers wait for one copy, and one for another."""
        for waiting in (2, 1):
            for loan in self._first(lambda loan: loan.returned is None and loan.begun.occurred_at < now - 3 * _A_DAY):
                for number in range(waiting):
                    self._reserve(loan, loan.begun.occurred_at + _A_DAY + timedelta(hours=5 * number))

    def _first(self, fits: Callable[[_Loan], bool]) -> Iterator[_Loan]:
        """The first loan that fits, if there is one, and if enough readers are there who might want the copy."""
        for loan in self.loans:
            if loan.begun.book_id not in self.taken and len(self._may_want(loan)) >= 2 and fits(loan):
                self.taken.add(loan.begun.book_id)
                yield loan
                return

    def _may_want(self, loan: _Loan) -> list[str]:
        there = [command.reader_id for command in self.registered if command.occurred_at < loan.begun.occurred_at]
        return [reader_id for reader_id in there if reader_id not in {*self.taken, loan.begun.reader_id}]

    def _is_collected_by_who_follows(self, loan: _Loan) -> bool:
        return (
            loan.following is not None
            and timedelta(hours=2) < loan.free_for < TIME_TO_COLLECT
            and loan.following.reader_id in self._may_want(loan)
        )

    def _reserve(self, loan: _Loan, at: datetime, reader_id: str | None = None) -> str:
        reader_id = reader_id or self._may_want(loan)[-1]
        self.taken.add(reader_id)
        self.steps.append(Step(ReserveBook(loan.begun.book_id, reader_id, at), ReserveBookHandler, "written"))
        return reader_id


def _loans(done: Iterable[Any]) -> list[_Loan]:
    """The loans, by the time at which they began."""
    loans: dict[str, list[_Loan]] = {}
    for command in done:
        of_this_copy = loans.setdefault(getattr(command, "book_id", ""), [])
        match command:
            case LendBookToReader():
                if of_this_copy:
                    of_this_copy[-1] = replace(of_this_copy[-1], following=command)
                of_this_copy.append(_Loan(command))
            case ReturnBookFromReader():
                of_this_copy[-1] = replace(of_this_copy[-1], returned=command.occurred_at)
            case _:
                pass
    return sorted((loan for some in loans.values() for loan in some), key=lambda loan: _time_of(loan.begun))


def _time_of(command: Any) -> datetime:
    at: datetime = command.occurred_at
    return at
