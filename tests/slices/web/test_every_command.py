"""Every command through both of its doors: a program and a person get the answer of the handler, and no other."""

import dataclasses
from typing import Any

import pytest

from eventstore import InMemoryEventStore
from slices.codec import decode
from slices.decision import Append, Nothing, Reject
from slices.domain_event import DomainEvent, json_key
from slices.outcome import Outcome
from slices.slice_map import CONTEXTS, WriteSlice, write_slices
from slices.testing import write
from tests.slices.lending.world import ADDRESS, HASH, OTHER_ADDRESS, OTHER_HASH
from tests.slices.races import EVERYTHING, Command, Race, carry_out, slice_of
from tests.slices.test_races import NAMED
from tests.slices.web.shop import Shop

COMMANDS = [command for context in CONTEXTS for command in write_slices(context)]
CONTEXT_OF = {command.name: command.context for command in COMMANDS}


def before_the_slower_one(race: Race) -> InMemoryEventStore:
    """What the slower command of a race finds when the quicker one is done."""
    store = InMemoryEventStore()
    write(store, *race.given)
    carry_out(race.quicker, store)
    return store


def log_of(shop_or_store: Shop | InMemoryEventStore) -> list[DomainEvent]:
    store = shop_or_store.store if isinstance(shop_or_store, Shop) else shop_or_store
    return [decode(event) for event in store.query(EVERYTHING)]


def expected(race: Race) -> tuple[Outcome, list[DomainEvent]]:
    store = before_the_slower_one(race)
    return carry_out(race.slower, store), log_of(store)


def sent(command: Command) -> dict[str, Any]:
    """The command as a client spells it: with the address, and not with its hash."""
    fields = {field.name: getattr(command, field.name) for field in dataclasses.fields(command)}
    spelled = {json_key(name): value for name, value in fields.items() if name != "occurred_at" and value is not None}
    if "EmailHash" in spelled:
        spelled["Email"] = {HASH: ADDRESS, OTHER_HASH: OTHER_ADDRESS}[spelled.pop("EmailHash")]
    return spelled


def api_of(command: Command) -> str:
    name = slice_of(command)
    return f"/api/{CONTEXT_OF[name]}/{name.replace('_', '-')}"


def form_of(shop: Shop, name: str) -> str:
    [address] = [str(rule) for rule in shop.app.url_map.iter_rules() if rule.endpoint == f"{name}.pages.submit"]
    return address


@NAMED
def test_a_program_gets_the_answer_of_the_handler(race: Race) -> None:
    outcome, log = expected(race)
    shop = Shop(before_the_slower_one(race))
    response = shop.browser.post(api_of(race.slower), json=sent(race.slower))
    body = response.get_json()
    match outcome.decision:
        case Append():
            assert (response.status_code, body["Outcome"]) == (201, "appended")
        case Nothing():
            assert (response.status_code, body["Outcome"]) == (200, "nothing")
        case Reject(reason):
            assert (response.status_code, body["Outcome"], body["reason"]) == (409, "rejected", reason.name)
    stored = [(event["SequenceNumber"], event["EventType"]) for event in body["Events"]]
    assert stored == [(event.sequence_number, event.event_type) for event in outcome.events]
    assert (body["Report"]["Attempts"], body["Report"]["ReadUpTo"]) == (1, outcome.report.read_up_to)
    assert log_of(shop) == log


@NAMED
def test_a_person_gets_the_answer_of_the_handler(race: Race) -> None:
    outcome, log = expected(race)
    shop = Shop(before_the_slower_one(race))
    response = shop.browser.post(form_of(shop, slice_of(race.slower)), data=sent(race.slower))
    match outcome.decision:
        case Append() | Nothing():
            assert response.status_code == 303
        case Reject(reason):
            assert response.status_code == 409
            assert reason.message in response.text
    assert log_of(shop) == log


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_a_form_is_shown_empty_and_comes_back_when_it_was_sent_empty(command: WriteSlice) -> None:
    shop = Shop()
    address = form_of(shop, command.name)
    assert shop.browser.get(address).status_code == 200
    assert shop.browser.post(address).status_code == 422
    assert log_of(shop) == []


@NAMED
def test_what_was_done_is_not_done_again_and_what_was_refused_is_refused_again(race: Race) -> None:
    """Every command says what should be the case. Once it is, there is nothing to do, whoever asks."""
    outcome, log = expected(race)
    shop = Shop(before_the_slower_one(race))
    first, again = (shop.browser.post(api_of(race.slower), json=sent(race.slower)) for _ in range(2))
    match outcome.decision:
        case Append() | Nothing():
            assert (again.status_code, again.get_json()["Outcome"]) == (200, "nothing")
            assert log_of(shop) == log
        case Reject(_, record):
            assert again.status_code == first.status_code == 409
            assert refusal(again.get_json()) == refusal(first.get_json())
            assert log_of(shop) == [*log, *([record] if record else [])]


def refusal(answer: dict[str, Any]) -> dict[str, Any]:
    """What a program is told of a refusal, whenever it is refused: not where it is recorded, nor how long it took."""
    return {key: value for key, value in answer.items() if key not in {"failure_event", "Events", "Report"}}
