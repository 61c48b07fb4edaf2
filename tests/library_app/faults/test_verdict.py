"""A verdict finds what it is there to find: what is lost, what is there twice, and what nobody asked for."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from eventstore import InMemoryEventStore
from tests.library_app.conftest import all_events
from tests.library_app.faults.load import Command
from tests.library_app.faults.verdict import violations
from tests.library_app.library import COPY, LEND, READER, RETURN

LENT = {"BookID": COPY["BookID"], "ReaderID": READER}
HISTORY: list[tuple[str, dict[str, Any]]] = [
    ("lending/add-book-copy-to-circulation", COPY),
    ("lending/register-reader", {"ReaderID": READER, "Name": "Ann"}),
    (LEND, LENT),
    (RETURN, LENT),
    (RETURN, {**LENT, "ReaderID": str(uuid4())}),
]


@pytest.fixture
def commands(client: FlaskClient) -> list[Command]:
    """Four that are acknowledged, and one that is refused."""
    given = [Command(route, body) for route, body in HISTORY]
    for command in given:
        headers = {"X-Correlation-ID": command.correlation}
        answer = client.post(f"/api/{command.route}", json=command.body, headers=headers)
        command.status, command.answer = answer.status_code, answer.get_json()
    return given


def test_a_log_that_says_what_the_clients_were_told_is_right(
    commands: list[Command], memory: InMemoryEventStore
) -> None:
    assert [command.status for command in commands] == [201, 201, 201, 201, 409]
    assert not violations(commands, all_events(memory))


def test_what_was_acknowledged_and_is_not_there_is_lost(commands: list[Command], memory: InMemoryEventStore) -> None:
    log = [event for event in all_events(memory) if event.event_type != "BookCopyReturnedByReader"]
    assert any("is lost" in violation for violation in violations(commands, log))


def test_a_command_that_is_there_twice_is_found(commands: list[Command], memory: InMemoryEventStore) -> None:
    *_, returned, _refused = all_events(memory)
    log = [*all_events(memory), replace(returned, sequence_number=6, event_id=uuid4())]
    assert any("is in the log 2 times" in violation for violation in violations(commands, log))
    unanswered = [replace(command, status=0, answer={}) for command in commands]
    assert any("is in the log 2 times" in violation for violation in violations(unanswered, log))


def test_what_nobody_asked_for_and_the_rules_forbid_is_found(
    commands: list[Command], memory: InMemoryEventStore
) -> None:
    log = all_events(memory)
    assert "nobody asked for event 5" in violations(commands[:-1], log)
    backwards = [replace(event, sequence_number=number) for number, event in enumerate(reversed(log), 1)]
    assert any(violation.startswith("event ") for violation in violations(commands, backwards))


def test_what_was_never_answered_may_be_there_or_not(commands: list[Command], memory: InMemoryEventStore) -> None:
    *others, refused = commands
    unanswered = replace(refused, status=0, answer={})
    assert not violations([*others, unanswered], all_events(memory))
    assert not violations([*others, unanswered], all_events(memory)[:-1])
