"""The race lab: real races on PostgreSQL, through the app."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg.conninfo import make_conninfo
from werkzeug.test import TestResponse

from eventstore import FilterBuilder, InMemoryEventStore, SchemaMissing, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from library_app import Config, create_app
from library_app.glass.race_picture import Picture
from library_app.race import RaceKind
from library_app.race.postgres import (
    NAIVE_TABLE,
    TABLE,
    PostgresRaceLab,
    check_tables,
    create_tables,
)
from slices.audit import audit
from slices.codec import decode
from slices.enrollment.events import StudentEnrolledToCourse
from slices.lending.events import BookCopyLentToReader


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def racing(lab_dsn: str, config: Config, memory: InMemoryEventStore) -> FlaskClient:
    return create_app(memory, config=config, race_lab=PostgresRaceLab(lab_dsn, now)).test_client()


def race(client: FlaskClient, **fields: str) -> TestResponse:
    token = client.get("/glass/race").text.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post("/glass/race", data={**fields, "csrf_token": token})


def log_of(dsn: str, table: str) -> tuple[SequencedEvent, ...]:
    with open_pool(dsn, max_size=2) as pool:
        return PostgresEventStore(pool, table).query(FilterBuilder().matching_any_event()).events


def test_of_twenty_readers_one_gets_the_copy_and_the_audit_is_silent(
    racing: FlaskClient, lab_dsn: str, memory: InMemoryEventStore
) -> None:
    before = len(log_of(lab_dsn, TABLE))
    page = race(racing, kind="one-copy", racers="20")
    assert page.status_code == 200
    assert ", 1 got it, 19 were told who has it." in page.text
    assert "The log was audited: nothing in it could not have happened." in page.text
    assert "<dt>conflicts</dt><dd>19</dd>" in page.text
    assert page.text.count('<rect class="step line"') == 20 + 1  # and once in the legend
    assert page.text.count('class="sign won"') == 1 + 1
    log = log_of(lab_dsn, TABLE)
    assert list(audit(log)) == []
    [lent] = [event for event in map(decode, log[before:]) if isinstance(event, BookCopyLentToReader)]
    assert f"copy …{lent.book_id[-6:]}" in page.text
    assert memory.query(FilterBuilder().matching_any_event()).events == ()


def test_with_the_guard_of_the_seed_several_readers_have_the_same_copy(racing: FlaskClient, lab_dsn: str) -> None:
    page = race(racing, kind="one-copy", racers="20", naive="yes")
    assert page.status_code == 200
    assert "readers have the same copy." in page.text
    assert "The guard did not hold" in page.text
    assert "BookCopyLentToReader, but a reader has the copy." in page.text
    objections = list(audit(log_of(lab_dsn, NAIVE_TABLE)))
    assert objections
    assert {objection.text for objection in objections} == {"BookCopyLentToReader, but a reader has the copy"}


def test_the_last_seat_is_taken_once(racing: FlaskClient, lab_dsn: str) -> None:
    before = len(log_of(lab_dsn, TABLE))
    page = race(racing, kind="last-seat", racers="12")
    assert ", 1 got it, 11 were told that the course is full." in page.text
    log = log_of(lab_dsn, TABLE)
    assert list(audit(log)) == []
    seats = [event for event in map(decode, log[before:]) if isinstance(event, StudentEnrolledToCourse)]
    assert len(seats) == 3  # two from before the race


@pytest.mark.parametrize("naive", ["", "yes"])
def test_where_nobody_wants_the_same_there_is_no_conflict(racing: FlaskClient, naive: str) -> None:
    page = race(racing, kind="no-conflict", racers="10", naive=naive)
    assert "10 readers wanted a copy each, every one another, and 10 got theirs." in page.text
    assert "<dt>conflicts</dt><dd>0</dd>" in page.text
    assert "The log was audited: nothing in it could not have happened." in page.text


def test_fifty_race_on_a_bounded_number_of_connections_which_are_closed_afterwards(lab_dsn: str) -> None:
    result = PostgresRaceLab(make_conninfo(lab_dsn, application_name="fifty"), now).run(
        RaceKind.ONE_COPY, 50, guarded=True
    )
    assert (len(result.racers), len(result.got), result.objections) == (50, 1, ())
    assert any(waits.connection for racer in result.racers for waits in racer.waits)
    assert "queue" in Picture.of(result).kinds
    with psycopg.connect(lab_dsn, autocommit=True) as connection:
        still_open = "SELECT FROM pg_stat_activity WHERE application_name = 'fifty'"
        while connection.execute(still_open).fetchall():  # the server notices a little after the client
            pass


def test_the_wait_for_the_lock_is_told_apart_from_guard_and_insert(lab_dsn: str) -> None:
    lab = PostgresRaceLab(lab_dsn, now)
    guarded = lab.run(RaceKind.ONE_COPY, 10, guarded=True)
    for racer in guarded.racers:
        for attempt, waits in zip(racer.report.attempts, racer.waits, strict=True):
            assert 0 <= waits.lock < attempt.appending
            assert waits.connection == 0.0  # there are ten connections
    assert sum(waits.lock for racer in guarded.racers for waits in racer.waits) > 0
    assert "lock" in Picture.of(guarded).kinds
    naive = lab.run(RaceKind.ONE_COPY, 10, guarded=False)
    assert {waits.lock for racer in naive.racers for waits in racer.waits} == {0.0}
    assert "lock" not in Picture.of(naive).kinds


def test_a_role_with_the_rights_of_the_readme_can_race(lab_dsn: str, racer: str) -> None:
    lab = PostgresRaceLab(make_conninfo(lab_dsn, options=f"-c role={racer}"), now)
    assert len(lab.run(RaceKind.ONE_COPY, 4, guarded=True).got) == 1
    assert len(lab.run(RaceKind.NO_CONFLICT, 4, guarded=False).got) == 4


def test_tables_may_be_made_twice_and_a_missing_one_is_told(database: str) -> None:
    with open_pool(database, max_size=2) as pool:
        with pytest.raises(SchemaMissing):
            check_tables(pool)
        create_tables(pool)
        create_tables(pool)
        check_tables(pool)
        with pool.connection() as connection:
            connection.execute("DROP TABLE lab_events_naive")
        with pytest.raises(SchemaMissing, match="lab_events_naive"):
            check_tables(pool)


def test_a_race_leaves_room_for_the_next_after_two_seconds(lab_dsn: str, config: Config) -> None:
    moments = [now()]
    lab = PostgresRaceLab(lab_dsn, now)
    client = create_app(InMemoryEventStore(), config=config, clock=lambda: moments[-1], race_lab=lab).test_client()
    assert race(client, kind="one-copy", racers="2").status_code == 200
    refused = race(client, kind="one-copy", racers="2")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "A race began a moment ago." in refused.text
    moments.append(moments[0] + timedelta(seconds=2))
    assert race(client, kind="one-copy", racers="2").status_code == 200
