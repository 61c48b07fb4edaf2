"""A primed store holds the history, is used again, and is made anew when it is not complete."""

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from benchmarks.library_log import Library
from benchmarks.priming import Note, PrimedStore, prime
from benchmarks.server import CannotMeasure
from eventstore import FilterBuilder, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from slices.codec import decode, decode_metadata
from tests.benchmarks.replay import replay

EVENTS = 330


def everything(dsn: str, primed: PrimedStore) -> tuple[SequencedEvent, ...]:
    with open_pool(dsn) as pool:
        store = PostgresEventStore(pool, primed.table)
        store.check_schema()
        return store.query(FilterBuilder().matching_any_event()).events


def comment_on(dsn: str, schema: str, note: Note) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(Identifier(schema), Literal(note.as_text())))


def note_of(dsn: str, schema: str) -> Note:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT obj_description(%s::regnamespace, 'pg_namespace')", [schema]).fetchone()
    assert row is not None
    note = Note.parse(row[0])
    assert note is not None
    return note


def test_the_store_holds_the_history_in_order(dsn: str, schema: str) -> None:
    stored = everything(dsn, prime(dsn, EVENTS, schema=schema))
    assert [event.sequence_number for event in stored] == list(range(1, EVENTS + 1))
    history = [decode(event) for event in stored]
    assert history == list(Library.of(EVENTS).history())
    replay(history)


def test_events_look_as_if_the_application_had_written_them(dsn: str, schema: str) -> None:
    for event in everything(dsn, prime(dsn, EVENTS, schema=schema)):
        assert event.event_id == decode_metadata(event).message_id
        assert event.event_id.version == 7
        assert event.occurred_at == decode(event).occurred_at


def test_the_store_has_every_index(dsn: str, schema: str, store: PostgresEventStore, table: str) -> None:
    prime(dsn, EVENTS, schema=schema)
    count = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass AND indisvalid"
    with psycopg.connect(dsn) as connection:
        primed = connection.execute(count, [f"{schema}.events"]).fetchone()
        ordinary = connection.execute(count, [table]).fetchone()
    assert primed == ordinary


def test_a_complete_store_is_used_again(dsn: str, schema: str) -> None:
    first = prime(dsn, EVENTS, schema=schema)
    second = prime(dsn, EVENTS, schema=schema)
    assert (first.reused, second.reused) == (False, True)
    assert first.seconds == second.seconds
    assert second.size_now == EVENTS


def test_it_is_primed_again_on_request(dsn: str, schema: str) -> None:
    prime(dsn, EVENTS, schema=schema)
    assert not prime(dsn, EVENTS, schema=schema, fresh=True).reused


def test_what_an_interrupted_run_left_is_replaced(dsn: str, schema: str) -> None:
    prime(dsn, EVENTS, schema=schema)
    note = note_of(dsn, schema)
    comment_on(dsn, schema, Note(note.events, note.content))  # no phases: it never came to its end
    again = prime(dsn, EVENTS, schema=schema)
    assert not again.reused
    assert again.size_now == EVENTS


def test_a_store_of_another_release_is_replaced(dsn: str, schema: str) -> None:
    prime(dsn, EVENTS, schema=schema)
    note = note_of(dsn, schema)
    comment_on(dsn, schema, Note(note.events, "other content", note.seconds))
    assert not prime(dsn, EVENTS, schema=schema).reused


@pytest.mark.parametrize("fresh", [False, True])
def test_a_schema_that_is_not_ours_is_left_alone(dsn: str, schema: str, fresh: bool) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        with pytest.raises(CannotMeasure, match="left alone"):
            prime(dsn, EVENTS, schema=schema, fresh=fresh)
        assert connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema]).fetchone() == (True,)
