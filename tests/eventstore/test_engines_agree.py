"""What our two engines have in common beyond the contract, and what the contract's "any log, any filter" reaches."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, seed, settings

from eventstore import Filter, InMemoryEventStore, P
from eventstore.json_values import JsonValue, as_jsonb_text, contains, parse
from eventstore.postgres import PostgresEventStore
from eventstore.testing.contract.strategies import Log, Questions, events_of, logs, questions
from tests.eventstore.examples import EVERYTHING

BOUNDS = ("occurred_from", "occurred_until", "sequence_number_higher_than", "up_to")


@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=logs)
def test_both_engines_give_back_the_very_same_bytes(store: PostgresEventStore, log: Log) -> None:
    memory, events = InMemoryEventStore(), events_of(log)
    memory.append(*events)
    [before, *_] = store.append(*events)
    found, expected = store.query(EVERYTHING.after_sequence_number(before - 1)), memory.query(EVERYTHING)
    assert [(one.event_id, one.payload, one.metadata) for one in found] == [
        (one.event_id, one.payload, one.metadata) for one in expected
    ]
    assert [one.payload for one in found] == [as_jsonb_text(parse(text.encode())).encode() for _, _, text in log]


def test_any_log_and_any_filter_reach_what_engines_may_get_wrong() -> None:
    """Without questions of all these kinds the agreement would prove little."""
    oddities = ("a quote", "an apostrophe", "a backslash", "?", "%", "unicode")
    often = {"some events match", "all events match", "no event matches", "all four bounds", *BOUNDS}
    sometimes = {"every event", "several items", "several types in an item", "an odd type"}
    sometimes |= {"all of several predicates", "any of several predicates"}
    sometimes |= {f"matches within {bound}" for bound in BOUNDS}
    rarely = {"met an object", "met an array", "met null", "null where the key is absent", "met 1 in another spelling"}
    rarely |= {'1 beside "1"', '"1" beside 1', "true beside 1", "a part of an object", "a part of an array"}
    rarely |= {f"met a key with {odd}" for odd in oddities} | {f"met a string with {odd}" for odd in oddities}
    least = {**dict.fromkeys(often, 40), **dict.fromkeys(sometimes, 10), **dict.fromkeys(rarely, 1)}
    seen: Counter[str] = Counter()
    for number in range(10):  # one is mostly enough; Hypothesis draws otherwise if other modules are imported
        seen.update(_seen_in_200_examples(number))
        if all(seen[kind] >= enough for kind, enough in least.items()):
            return
    raise AssertionError({kind: seen[kind] for kind, enough in least.items() if seen[kind] < enough})


def _seen_in_200_examples(number: int) -> Counter[str]:
    seen: Counter[str] = Counter()

    @seed(number)
    @settings(deadline=None, database=None, max_examples=200, phases=[Phase.generate])
    @given(questions())
    def look(drawn: Questions) -> None:
        for filter in drawn.filters:
            seen.update({*_shape(filter), *_matches(drawn.log, filter), *_meetings(drawn.log, filter)})

    look()
    return seen


def _shape(filter: Filter) -> Iterator[str]:
    if filter.any_event:
        yield "every event"
    if len(filter.items) > 1:
        yield "several items"
    given_bounds = [bound for bound in BOUNDS if getattr(filter, bound) is not None]
    yield from given_bounds
    if len(given_bounds) == 4:
        yield "all four bounds"
    for item in filter.items:
        if len(item.event_types) > 1:
            yield "several types in an item"
        if len(item.predicates) > 1:
            yield f"{'all' if item.all_predicates else 'any'} of several predicates"
        if any(not event_type.isalpha() for event_type in item.event_types):
            yield "an odd type"


def _matches(log: Log, filter: Filter) -> Iterator[str]:
    memory = InMemoryEventStore()
    memory.append(*events_of(log))
    found = len(memory.query(filter))
    yield "no event matches" if not found else "all events match" if found == len(log) else "some events match"
    if 0 < found < len(log):
        yield from (f"matches within {bound}" for bound in BOUNDS if getattr(filter, bound) is not None)


def _meetings(log: Log, filter: Filter) -> Iterator[str]:
    for _, _, text in log:
        document = parse(text.encode())
        assert isinstance(document, dict)
        for item in filter.items:
            for predicate in item.predicates:
                meant = parse(predicate.value.encode())
                if predicate.key not in document:
                    yield from ["null where the key is absent"] if meant is None else []
                elif predicate.is_met_by(document):
                    yield from _met(predicate, meant, document[predicate.key], text)
                else:
                    yield from _missed(meant, document[predicate.key])


def _met(predicate: P, meant: JsonValue, stored: JsonValue, text: str) -> Iterator[str]:
    yield from (f"met a key with {odd}" for odd in _oddities(predicate.key))
    if isinstance(meant, str):
        yield from (f"met a string with {odd}" for odd in _oddities(meant))
    elif meant is None:
        yield "met null"
    elif isinstance(meant, (dict, list)):
        kind = "an object" if isinstance(meant, dict) else "an array"
        yield f"met {kind}"
        if not contains(meant, stored):
            yield f"a part of {kind}"
        if any(isinstance(inner, list) for inner in (meant.values() if isinstance(meant, dict) else meant)):
            yield "met an array inside something"
    elif predicate.value == "1" and any(spelling in text for spelling in ("1.0", "1E0", "10e-1")):
        yield "met 1 in another spelling"


def _missed(meant: JsonValue, stored: JsonValue) -> Iterator[str]:
    names = {"1": '"1"', "true": "true"}
    for one, other in ((meant, stored), (stored, meant)):
        word = names.get(as_jsonb_text(other).strip('"')) if isinstance(other, (str, bool)) else None
        if isinstance(one, bool) or one != 1 or word is None:
            continue
        yield f"{word} beside 1" if word == "true" or one is stored else f"1 beside {word}"


def _oddities(text: str) -> Iterator[str]:
    for name, character in (("a quote", '"'), ("an apostrophe", "'"), ("a backslash", "\\"), ("?", "?"), ("%", "%")):
        if character in text:
            yield name
    if not text.isascii():
        yield "unicode"
