"""What a follower says when its subscription ends otherwise than it should."""

import pytest

from eventstore import EventStore, PositionUnknown
from eventstore.testing.contract.following import Follower


def test_who_waits_for_a_position_gets_the_error_that_the_subscription_ended_with(engine: EventStore) -> None:
    with pytest.raises(PositionUnknown), Follower(engine, after=7) as follower:
        follower.reached(8)


def test_an_end_before_the_position_is_a_failure(engine: EventStore) -> None:
    with Follower(engine) as follower:
        follower.subscription.close()
        with pytest.raises(AssertionError, match="only 0 of 1 arrived, has ended: True"):
            follower.reached(1)


def test_an_error_in_the_block_is_not_hidden_by_that_of_the_subscription(engine: EventStore) -> None:
    with pytest.raises(ZeroDivisionError), Follower(engine, after=7):
        raise ZeroDivisionError
