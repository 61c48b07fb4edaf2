"""The contract finds faults: engines with one mistake each fail the tests that are named here."""

from pathlib import Path

from tests.eventstore.broken_engines import ENGINES
from tests.eventstore.nested_pytest import ROOT, run_pytest

A_QUERY = "test_for_any_log_a_query_finds_what_the_in_memory_engine_finds"
A_GUARD = "test_for_any_log_the_guard_refuses_exactly_what_the_query_finds"
ANY_IDS = "test_for_any_ids_and_conditions_appends_end_as_in_the_in_memory_engine"

FAULTS: dict[str, tuple[str, ...]] = {
    "AfterZeroIsNoCondition": (
        "test_after_zero_is_not_taken_for_no_condition",
        "test_after_zero_means_that_nothing_may_match_at_all",
    ),
    "AfterIsInclusive": ("test_events_up_to_the_position_are_ignored", A_GUARD),
    "AnyPositionIsKnown": ("test_a_position_beyond_the_head_is_refused",),
    "BoundsNarrowTheGuard": (
        "test_bounds_never_narrow_a_guard",
        "test_bounds_do_not_narrow_the_guard_of_a_very_old_position",
        A_GUARD,
    ),
    "TheGuardGivesUpEarly": ("test_a_very_old_position_meets_a_conflict",),
    "TheGuardIsWhatWasReadLast": (
        "test_a_condition_may_be_narrower_than_what_was_read",
        "test_a_position_may_be_higher_than_the_last_match",
    ),
    "TheGuardIsWhatWasReadFirst": ("test_a_condition_may_be_wider_than_what_was_read",),
    "TheLastConflictIsTold": ("test_a_conflict_tells_the_first_matching_event_and_the_item_it_meets",),
    "TheFirstItemIsTold": ("test_a_conflict_tells_the_first_matching_event_and_the_item_it_meets",),
    "TheHeadIsToldAsWhatWasRead": (
        "test_a_conflict_tells_the_first_matching_event_and_the_item_it_meets",
        "test_a_conflict_says_in_one_sentence_what_came_between_and_what_had_been_read",
    ),
    "ARefusedAppendSucceedsWhenRepeated": ("test_a_refused_append_is_refused_again_until_the_caller_reads_again",),
    "TheGuardComesBeforeTheIds": ("test_the_ids_are_checked_before_the_guard", ANY_IDS),
    "EveryAppendIsNew": ("test_an_event_appended_again_returns_the_number_it_has", ANY_IDS),
    "BatchesArePutDownOneByOne": (
        "test_a_batch_is_in_the_store_as_a_whole_or_not_at_all",
        "test_a_batch_of_which_a_part_is_stored_is_refused",
    ),
    "ThePositionIsTheLastMatch": (
        "test_the_position_is_the_head_of_the_whole_store_and_not_the_last_match",
        "test_a_stream_without_events_guards_from_the_head_of_the_store",
    ),
    "NothingFoundIsPositionZero": ("test_a_stream_without_events_guards_from_the_head_of_the_store",),
    "NoReadIsCutOff": ("test_a_read_that_may_lack_newer_events_offers_no_append_condition",),
    "ItemsAreFlattened": ("test_items_are_not_flattened_into_one", A_QUERY),
    "ItemsAreJoinedByAnd": ("test_items_are_alternatives_and_never_joined_by_and",),
    "AlternativesWithoutParentheses": (
        "test_bounds_hold_for_every_item_and_not_for_the_last_one_only",
        "test_alternatives_are_put_in_parentheses_before_bounds_are_added",
        A_QUERY,
    ),
    "PredicatesWithoutParentheses": (
        "test_any_of_several_predicates_is_put_in_parentheses_before_the_type",
        "test_types_and_predicates_of_one_item_must_both_hold",
    ),
    "ARepeatedTagNeverMatches": ("test_a_repeated_tag_still_matches_and_still_guards",),
    "SeveralTypesNeedPredicates": ("test_several_types_without_predicates_query_and_guard",),
    "TypesInAnyLetterCase": ("test_event_types_are_compared_as_a_whole_and_by_letter_case",),
    "OneIsTrue": ("test_a_predicate_tells_json_values_apart", A_QUERY),
    "NumbersAreRounded": ("test_a_predicate_tells_json_values_apart",),
    "ValuesArePastedIntoSql": (
        "test_every_string_is_a_value_and_never_sql",
        "test_a_crafted_value_returns_no_row_that_it_does_not_mean",
    ),
    "MetadataAreSearchedToo": ("test_predicates_never_look_into_the_metadata",),
    "ABoundOfZeroIsNone": ("test_a_bound_of_zero_is_a_bound",),
    "TheUpperBoundIsExclusive": ("test_bounds_of_time_include_both_ends",),
    "ALimitCountsWhatDoesNotMatch": ("test_a_limit_takes_the_first_or_backwards_the_newest",),
    "ALimitTakesTheOldest": ("test_a_limit_takes_the_first_or_backwards_the_newest",),
    "EventsAreSortedByTime": ("test_events_come_in_the_order_of_their_positions_whatever_their_times",),
    "EqualEventsCollapse": ("test_finished_lendings_of_one_pair_stay_apart",),
    "TheGuardIsNotUnderTheLock": ("test_of_several_writers_who_have_read_the_same_one_wins",),
    "TheLastButOneIsVisibleLast": ("test_who_has_read_up_to_a_position_never_finds_an_event_below_it",),
    "AnEventPerMatchingItem": ("test_an_event_that_several_items_mean_is_returned_once",),
    "TimesAreCutToMilliseconds": ("test_times_keep_their_microseconds_and_come_back_in_utc",),
    "AStreamNeverEnds": ("test_a_stream_ends_at_what_was_the_head_when_it_began",),
    "AStreamKnowsNoBounds": ("test_a_stream_holds_what_the_query_finds",),
    "AStreamEndsBeforeTheHead": ("test_a_stream_holds_what_the_query_finds",),
    "EachBatchComesTwice": (
        "test_what_is_stored_comes_first_and_then_what_is_appended",
        "test_positions_of_batches_only_rise",
        "test_none_is_lost_and_none_comes_twice_under_load",
    ),
    "ABatchIsCutAndItsPositionIsNot": ("test_whoever_goes_on_after_the_position_of_a_batch_misses_nothing",),
    "ASubscriptionEndsWithWhatIsStored": ("test_what_is_stored_comes_first_and_then_what_is_appended",),
    "WhatIsStoredIsSkipped": ("test_what_is_stored_comes_first_and_then_what_is_appended",),
    "TheLastPositionComesAgain": (
        "test_a_subscription_begins_after_a_position",
        "test_whoever_goes_on_after_the_position_of_a_batch_misses_nothing",
    ),
    "ASubscriptionDeliversEverything": ("test_none_is_lost_and_none_comes_twice_under_load",),
    "ClosingOneClosesAll": ("test_closing_one_subscription_leaves_the_others_alone",),
}


def test_each_mistake_turns_its_tests_red_and_the_engines_without_one_pass_them() -> None:
    correct = {engine.__name__: engine.__mro__[1].__name__ for engine in ENGINES if engine.__name__ in FAULTS}
    assert {engine.__name__ for engine in ENGINES} == {*FAULTS, *correct.values()}
    red = {f"{test}[{engine}]" for engine, tests in FAULTS.items() for test in tests}
    green = {f"{test}[{correct[engine]}]" for engine, tests in FAULTS.items() for test in tests}
    file = Path(__file__).with_name("broken_engines.py")
    chosen = [f"{file}::TestBroken::{name}" for name in sorted(red | green)]
    finished = run_pytest(ROOT, "--hypothesis-profile=no-shrinking", *chosen, measured=False)
    assert (red - finished.failed, green - finished.passed) == (set(), set()), finished.output
    assert "BrokenBarrierError" not in finished.output, "writers shut each other out, and none of them failed a guard"
