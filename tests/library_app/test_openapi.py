"""The API against its own document: whatever is sent, it answers what the document says, and never with our fault."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case

from eventstore import InMemoryEventStore
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from library_app import Config, create_app
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from slices.testing import write
from tests.library_app.every_page import everything_called
from tests.slices.enrollment.world import EVE, LATIN
from tests.slices.lending.world import ANN, BOB, BOOK, OTHER_BOOK


class ServedLater:
    """A WSGI app that is exchanged when there is a database."""

    def __init__(self) -> None:
        self.app: Any = create_app(InMemoryEventStore(), config=Config(secret_key="a secret for the tests"))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


pytest_plugins = ["schemathesis.pytest.plugin"]
"""Only here: all other tests start two seconds earlier without it."""

schemathesis.openapi.format("uuid", st.sampled_from([ANN, BOB, BOOK, OTHER_BOOK, EVE, LATIN]) | st.uuids().map(str))
schemathesis.openapi.format("isbn", st.sampled_from(["9781098100131", "0-306-40615-2", "979-10-90636-07-1"]))
SERVED = ServedLater()
DOCUMENT = schemathesis.openapi.from_wsgi("/api/openapi.json", SERVED)


@pytest.fixture(scope="module", autouse=True)
def served(pool: Pool, config: Config) -> Iterator[None]:
    """The app on PostgreSQL, with a history in which everything happened."""
    store = PostgresEventStore(pool, "events_of_the_document")
    store.create_schema()
    records = PostgresIdempotencyRecords(pool)
    records.create_schema()
    write(store, *everything_called("Ann"))
    SERVED.app = create_app(store, config=config, idempotency=records)
    yield
    with pool.connection() as connection:
        connection.execute("DROP TABLE idempotency_keys")


@DOCUMENT.parametrize()
@settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented(case: Case[Any]) -> None:
    is_keyed = with_a_key_of_its_own(case)
    if isinstance(case.body, dict):  # space around a text does not count, for its length either
        case.body = {key: value.strip() if isinstance(value, str) else value for key, value in case.body.items()}
    if {"before", "after"} <= case.query.keys():  # which no document can say
        del case.query["after"]
    answer = case.call()
    case.validate_response(answer)
    if case.method == case.operation.method.upper():  # others are refused with a 405, which stands in no document
        assert str(answer.status_code) in case.operation.definition.raw["responses"]
    if is_keyed and answer.status_code in (200, 201, 409):
        again = case.call()
        assert (again.status_code, again.content) == (answer.status_code, answer.content)


def with_a_key_of_its_own(case: Case[Any]) -> bool:
    """Whether it has a key that may be used. A key that stands for two requests would be refused."""
    key = case.headers.get("Idempotency-Key")
    if not isinstance(key, str) or not re.fullmatch(r"[!-~]{1,255}", key):
        return False
    case.headers["Idempotency-Key"] = f"{key[:222]}-{uuid4().hex}"
    return True
