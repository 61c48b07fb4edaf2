"""What the judge makes of a record: one history that is right, and one for each way in which it can be wrong."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime

from eventstore import AppendCondition, EventStream, SequencedEvent, StorableEvent
from eventstore.testing.judgement import Finding, Flaw, Record, judge
from eventstore.testing.oracle import Claim
from eventstore.testing.port import refusal
from eventstore.testing.session import Attempt, Reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOLD = Claim("gold", "red")
CONDITION = AppendCondition(GOLD.boundary, 0)
Batch = tuple[StorableEvent, ...]


def stream(position: int, *events: SequencedEvent) -> EventStream:
    return EventStream(GOLD.boundary, events, position)


def claimed(writer: str, seen: EventStream | None, size: int = 1) -> Batch:
    return GOLD.batch(writer, seen, NOW, size)


def stored(first: int, events: Sequence[StorableEvent]) -> list[SequencedEvent]:
    return [
        SequencedEvent(number, event.event_id, event.event_type, event.occurred_at, event.payload, event.metadata)
        for number, event in enumerate(events, first)
    ]


def attempt(session: str, events: Batch, result: list[int] | Exception) -> Attempt:
    future: Future[list[int]] = Future()
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
    return Attempt(session, events, CONDITION, future)


def judged(
    log: Sequence[SequencedEvent] = (),
    attempts: Sequence[Attempt] = (),
    readings: Sequence[Reading] = (),
    dead: str = "",
    winners_wanted: Sequence[Sequence[Attempt]] = (),
) -> list[tuple[Flaw, str]]:
    found: list[Finding] = judge(Record(log, attempts, readings, frozenset(dead), winners_wanted))
    return [(one.flaw, one.sentence) for one in found]


def test_a_history_in_which_one_wins_and_one_is_refused_is_right() -> None:
    won, lost = claimed("A", stream(0)), claimed("B", stream(0))
    log = stored(1, won)
    first, second = attempt("A", won, [1]), attempt("B", lost, refusal(CONDITION))
    readings = [Reading("C", stream(0)), Reading("C", stream(1, *log))]
    assert judged(log, [first, second], readings, winners_wanted=[[first, second]]) == []


def test_an_event_that_its_writer_did_not_know_is_a_lost_guard() -> None:
    won, too = claimed("A", stream(0)), claimed("B", stream(0))
    log = stored(1, won + too)
    assert judged(log, [attempt("A", won, [1]), attempt("B", too, [2])]) == [
        (Flaw.LOST_GUARD, "B had read up to 0 and was accepted as event 2, not knowing event 1 of A")
    ]


def test_an_event_below_the_position_read_up_to_is_a_lost_guard_too() -> None:
    won = claimed("A", None)
    blind = claimed("C", stream(2))
    log = stored(1, won) + stored(3, blind)
    assert judged(log) == [
        (Flaw.LOST_GUARD, "C had read up to 2 and was accepted as event 3, not knowing event 1 of A")
    ]


def test_events_of_one_append_do_not_overlook_each_other() -> None:
    assert judged(stored(1, claimed("A", stream(0), size=3))) == []


def test_an_append_without_a_condition_overlooks_nothing() -> None:
    assert judged(stored(1, claimed("A", stream(0)) + claimed("B", None))) == []


def test_an_event_that_appears_below_what_was_read_is_out_of_order() -> None:
    log = stored(1, claimed("A", None))
    assert judged(log, readings=[Reading("C", stream(2))]) == [
        (Flaw.OUT_OF_ORDER, "C had read up to 2, and event 1 appeared afterwards")
    ]


def test_some_events_of_an_append_are_part_of_a_batch() -> None:
    batch = claimed("A", stream(0), size=2)
    log = stored(1, batch)
    found = judged(log, [attempt("A", batch, [1, 2])], [Reading("B", stream(1, log[0]))])
    assert found == [(Flaw.PART_OF_A_BATCH, "B saw 1 of the 2 events that A appended")]


def test_half_a_batch_in_the_log_is_found_even_if_its_writer_died() -> None:
    batch = claimed("A", stream(0), size=2)
    gone = attempt("A", batch, ConnectionError("gone"))
    found = judged(stored(1, batch[:1]), [gone], dead="A")
    assert found == [(Flaw.PART_OF_A_BATCH, "the log holds 1 of the 2 events that A appended")]


def test_another_number_than_was_told_is_a_wrong_answer() -> None:
    won = claimed("A", stream(0))
    assert judged(stored(2, won), [attempt("A", won, [1])]) == [(Flaw.WRONG_ANSWER, "A was told 1, the log says 2")]


def test_an_acknowledged_event_that_is_not_there_is_a_wrong_answer() -> None:
    won = claimed("A", stream(0))
    assert judged([], [attempt("A", won, [1])]) == [(Flaw.WRONG_ANSWER, "A was told 1, the log says None")]


def test_a_refused_event_that_is_there_is_a_wrong_answer() -> None:
    won = claimed("A", stream(0))
    assert judged(stored(1, won), [attempt("A", won, refusal(CONDITION))]) == [
        (Flaw.WRONG_ANSWER, "A was refused, and the log holds its event 1")
    ]


def test_nobody_wins_although_nothing_stands_in_the_way() -> None:
    one = attempt("A", claimed("A", stream(0)), refusal(CONDITION))
    other = attempt("B", claimed("B", stream(0)), refusal(CONDITION))
    assert judged(attempts=[one, other], winners_wanted=[[one], [one, other]]) == [
        (Flaw.FALSE_CONFLICT, "A was refused although nothing stood in the way"),
        (Flaw.FALSE_CONFLICT, "A and B were all refused although nothing stood in the way"),
    ]


def test_a_failed_append_is_an_error_unless_its_session_died() -> None:
    failed = attempt("A", claimed("A", stream(0)), ValueError("cannot\nDETAIL: very long"))
    assert judged(attempts=[failed], winners_wanted=[[failed]]) == [(Flaw.ERROR, "A got ValueError: cannot")]
    assert judged(attempts=[failed], dead="A", winners_wanted=[[failed]]) == []


def test_the_worst_flaw_comes_first() -> None:
    won, too = claimed("A", stream(0)), claimed("B", stream(0))
    log = stored(1, won + too)
    flaws = [flaw for flaw, _ in judged(log, [attempt("A", won, [9])], [Reading("C", stream(2))])]
    assert flaws == [Flaw.LOST_GUARD, Flaw.OUT_OF_ORDER, Flaw.WRONG_ANSWER]
