"""Two sessions by hand: schedules on PostgreSQL, a step at a time."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg.conninfo import make_conninfo

from eventstore import FilterBuilder, InMemoryEventStore, StorableEvent, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from library_app import Config, create_app
from library_app.race import RaceKind
from library_app.race.entries import entries
from library_app.race.ladder import Ladder
from library_app.race.postgres import NAIVE_TABLE, TABLE, NaiveStore, PostgresRaceLab
from library_app.race.schedule import READY_SCHEDULES, Move, ReadySchedule, Step, Who, schedule
from library_app.race.stepping import CONNECTIONS, play
from slices.audit import audit
from tests.eventstore.guarantee_checks import lock_held

OVERLAPPING = "A.read,B.read,A.append,B.append,A.commit"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def lab(lab_dsn: str) -> PostgresRaceLab:
    return PostgresRaceLab(lab_dsn, now)


@pytest.fixture
def client(lab: PostgresRaceLab, config: Config, memory: InMemoryEventStore) -> FlaskClient:
    return create_app(memory, config=config, race_lab=lab).test_client()


def drawn(ladder: Ladder) -> list[str]:
    """What happened in each step, without numbers."""

    def words(who: Who, rung: Any) -> str:
        return " ".join(type(note).__name__ for note in rung.notes[who])

    return [f"{rung.move}: {words(Who.A, rung)} | {words(Who.B, rung)}" for rung in ladder.rungs]


def asked(dsn: str, question: LiteralString, *parameters: object) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(question, parameters).fetchall()


def locks(dsn: str) -> list[Any]:
    mine = "SELECT oid FROM pg_database WHERE datname = current_database()"
    return asked(dsn, f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = ({mine})")


@pytest.mark.parametrize("ready", READY_SCHEDULES, ids=lambda ready: ready.title)
def test_every_ready_schedule_ends_with_two_answers_and_only_one_of_them_breaks_only_one_guard(
    lab: PostgresRaceLab, ready: ReadySchedule
) -> None:
    ours = lab.step(schedule(ready.guarded), guarded=True)
    assert (ours.impossible, ours.is_complete, len(ours.got), ours.objections) == (None, True, 1, ())
    seeds = lab.step(schedule(ready.naive), guarded=False)
    assert (seeds.impossible, seeds.is_complete) == (None, True)
    breaks = ready is READY_SCHEDULES[-1]
    assert len(seeds.got) == (2 if breaks else 1)
    assert [objection.text for objection in seeds.objections] == (
        ["BookCopyLentToReader, but a reader has the copy"] if breaks else []
    )


def test_who_appends_before_the_other_commits_waits_for_the_lock_and_then_meets_the_event(
    lab: PostgresRaceLab,
) -> None:
    ladder = lab.step(schedule(f"{OVERLAPPING},B.read,B.append,B.commit"), guarded=True)
    assert drawn(ladder) == [
        "A.read: Read Decided | ",
        "B.read:  | Read Decided",
        "A.append: Inserted | ",
        "B.append:  | Held",
        "A.commit: Committed Answered | Refused",
        "B.read:  | Read Decided",
        "B.append:  | Inserted",
        "B.commit:  | Committed Answered",
    ]
    assert [(sorted(rung.holding), rung.held) for rung in ladder.rungs[2:5]] == [
        (["A"], None),
        (["A"], Who.B),
        ([], None),
    ]


def test_with_the_guard_of_the_seed_nobody_waits(lab: PostgresRaceLab) -> None:
    ladder = lab.step(schedule(f"{OVERLAPPING},B.commit"), guarded=False)
    assert drawn(ladder)[2:] == [
        "A.append: Inserted | ",
        "B.append:  | Inserted",
        "A.commit: Committed Answered | ",
        "B.commit:  | Committed Answered",
    ]
    assert sorted(ladder.rungs[3].holding) == ["A", "B"]


def test_every_step_that_is_offered_is_possible_and_every_other_is_not(lab_dsn: str) -> None:
    """Every way through that Anna begins, for both guards, to its end: nobody is left without an answer."""
    every = [Move(who, step) for who in Who for step in Step]
    todo: list[tuple[tuple[Move, ...], bool]] = [(schedule("A.read"), guarded) for guarded in (True, False)]
    seen = 0
    with open_pool(lab_dsn, max_size=CONNECTIONS) as pool:

        def played(moves: tuple[Move, ...], *, guarded: bool) -> Ladder:
            store = PostgresEventStore(pool, TABLE) if guarded else NaiveStore(pool)
            return play(store, pool, entries(RaceKind.ONE_COPY, 2, now()), moves, guarded=guarded)

        while todo:
            moves, guarded = todo.pop()
            ladder = played(moves, guarded=guarded)
            seen += 1
            assert (ladder.impossible, ladder.moves) == (None, moves)
            assert len(moves) <= 8
            assert not (guarded and ladder.objections)
            assert not ladder.is_complete or ladder.got
            todo += [((*moves, move), guarded) for move in ladder.possible]
            if len(moves) < 4:
                [other, *_] = [move for move in every if move not in ladder.possible]
                assert played((*moves, other), guarded=guarded).impossible == other
    assert seen > 40


def test_a_schedule_ends_the_same_way_while_others_use_the_log(lab_dsn: str) -> None:
    labs = [PostgresRaceLab(lab_dsn, now) for _ in range(4)]  # as so many processes
    moves = schedule(OVERLAPPING)
    with ThreadPoolExecutor(len(labs)) as threads:
        running = [threads.submit(one.step, moves, guarded=True) for one in labs for _ in range(3)]
    assert len({tuple(drawn(future.result())) for future in running}) == 1
    assert all(len(future.result().got) == 1 for future in running)


def test_who_waits_for_a_stranger_is_not_said_to_wait_for_the_other_session(lab_dsn: str) -> None:
    blocked = "SELECT FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND strpos(query, %s) > 0"

    with ExitStack() as stranger, ThreadPoolExecutor(1) as threads, open_pool(lab_dsn, max_size=CONNECTIONS) as pool:

        class Overtaken(PostgresEventStore):
            def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
                if "connection" in options:
                    stranger.enter_context(lock_held(lab_dsn, TABLE))
                return super().append(first, *more, **options)

        given = entries(RaceKind.ONE_COPY, 2, now())
        moves = schedule("A.read,A.append")
        running = threads.submit(play, Overtaken(pool, TABLE), pool, given, moves, guarded=True)
        seen = 0
        while seen < 50 and not running.done():  # often enough for whoever plays to have looked, too
            seen += len(asked(lab_dsn, blocked, TABLE))
        stranger.close()
        ladder = running.result()
    assert drawn(ladder) == ["A.read: Read Decided | ", "A.append: Inserted | "]


@pytest.mark.parametrize("moves", ["A.append", "A.append,B.append", OVERLAPPING[7:]])
@pytest.mark.parametrize("guarded", [True, False])
def test_what_is_open_at_the_end_is_rolled_back_and_released(lab_dsn: str, moves: str, guarded: bool) -> None:
    name = f"steps-{uuid.uuid4().hex[:8]}"
    lab = PostgresRaceLab(make_conninfo(lab_dsn, application_name=name), now)
    ladder = lab.step(schedule(f"A.read,B.read,{moves.removeprefix('B.read,')}"), guarded=guarded)
    assert ladder.impossible is None
    while asked(
        lab_dsn, "SELECT FROM pg_stat_activity WHERE application_name = %s", name
    ):  # the server notices a little after the client
        pass
    with open_pool(lab_dsn, max_size=1) as pool:
        store = PostgresEventStore(pool, TABLE if guarded else NAIVE_TABLE)
        log = store.query(FilterBuilder().matching_any_event().after_sequence_number(ladder.before[-1].sequence_number))
        assert [event.event_type for event in log] == ["BookCopyLentToReader"] * moves.count("commit")
    assert locks(lab_dsn) == []


def test_an_error_in_the_middle_ends_both_sessions_and_releases_the_lock(lab_dsn: str) -> None:
    class Failing(PostgresEventStore):
        joined = 0

        def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
            self.joined += "connection" in options
            if self.joined == 2:
                raise StoreUnavailable("the server is gone", outcome_unknown=False)
            return super().append(first, *more, **options)

    with open_pool(lab_dsn, max_size=CONNECTIONS) as pool:
        given = entries(RaceKind.ONE_COPY, 2, now())
        with pytest.raises(StoreUnavailable, match="the server is gone"):
            play(Failing(pool, TABLE), pool, given, schedule(OVERLAPPING), guarded=True)
    assert locks(lab_dsn) == []


def test_the_default_isolation_of_the_server_does_not_matter(lab_dsn: str) -> None:
    options = "-c default_transaction_isolation=serializable"
    ladder = PostgresRaceLab(make_conninfo(lab_dsn, options=options), now).step(schedule(OVERLAPPING), guarded=True)
    assert (ladder.impossible, len(ladder.got)) == (None, 1)


def test_a_role_with_the_rights_of_the_readme_can_step(lab_dsn: str, racer: str) -> None:
    lab = PostgresRaceLab(make_conninfo(lab_dsn, options=f"-c role={racer}"), now)
    for guarded in (True, False):
        assert len(lab.step(schedule(OVERLAPPING), guarded=guarded).got) == 1


def test_the_page_shows_the_ladder_and_what_can_come_next(client: FlaskClient, memory: InMemoryEventStore) -> None:
    page = client.get("/glass/race/steps?steps=A.read,B.read,A.append,B.append")
    assert page.status_code == 200
    assert "Waits for the lock that Anna holds." in page.text
    assert 'class="holds"' in page.text
    assert 'class="held"' in page.text
    assert 'steps=A.read,B.read,A.append,B.append,A.commit#next" rel="nofollow">Anna commits</a>' in page.text
    assert "Ben appends</a>" not in page.text
    assert " style=" not in page.text
    assert memory.query(FilterBuilder().matching_any_event()).position == 0  # the library's log is not touched


def test_the_page_says_that_the_guard_of_the_seed_let_two_win(client: FlaskClient, lab_dsn: str) -> None:
    page = client.get(f"/glass/race/steps?naive=yes&steps={READY_SCHEDULES[-1].naive}").text
    assert "2 readers have the same copy." in page
    assert "BookCopyLentToReader, but a reader has the copy." in page
    assert page.count("Has the copy.") == 2
    assert "Both have an answer" in page
    with open_pool(lab_dsn, max_size=1) as pool:
        log = PostgresEventStore(pool, NAIVE_TABLE).query(FilterBuilder().matching_any_event()).events
    assert {objection.text for objection in audit(log)} == {"BookCopyLentToReader, but a reader has the copy"}


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("A.commit", "Step 1, “Anna commits”, is not possible: Anna can only read now."),
        ("A.read,A.append,A.commit,A.read", "Step 4, “Anna reads”, is not possible: Anna has an answer."),
        (f"{OVERLAPPING[:-9]},B.commit", "“Ben commits”, is not possible: Ben waits for the lock that Anna holds."),
        ("A.sleep", "“A.sleep” is no step."),
        ("C.read", "“C.read” is no step."),
        ("<b>.read", "“&lt;b&gt;.read” is no step."),
        (",".join(["A.read"] * 25), "A schedule has at most 24 steps."),
        ("A.read," * 4000, "A schedule has at most 24 steps."),
    ],
)
def test_a_schedule_that_is_none_is_said_in_words(client: FlaskClient, steps: str, sentence: str) -> None:
    page = client.get("/glass/race/steps", query_string={"steps": steps})
    assert page.status_code == 422
    assert sentence in page.text
    assert "Ready schedules" in page.text


def test_the_race_and_the_steps_lead_to_each_other(client: FlaskClient) -> None:
    assert 'href="/glass/race/steps"' in client.get("/glass/race").text
    assert 'href="/glass/race">Race</a>' in client.get("/glass/race/steps").text.split("<main", 1)[1]


def test_without_a_database_the_page_says_that_it_needs_one(memory: InMemoryEventStore, config: Config) -> None:
    page = create_app(memory, config=config).test_client().get("/glass/race/steps?steps=A.read")
    assert page.status_code == 200
    assert "The race lab needs the database" in page.text
    assert "Ready schedules" not in page.text
