"""Things for later come when they are due, in order, and neither too many nor from too far ahead."""

import pytest

from audiobend.control import Schedule
from audiobend.errors import ControlError


def test_things_come_in_order_of_time_and_then_of_arrival():
    later = Schedule(horizon=10)
    for due, thing in ((3, "c"), (1, "a"), (3, "d"), (2, "b")):
        later.put(due, thing, now=0)
    assert later.take_due(0.5) == []
    assert later.take_due(3) == ["a", "b", "c", "d"]
    assert len(later) == 0 and later.next_due is None


@pytest.mark.parametrize("due", [10.1, 1e9, float("inf")])
def test_what_lies_too_far_ahead_is_refused(due):
    with pytest.raises(ControlError, match="10 seconds ahead"):
        Schedule(horizon=10).put(due, "x", now=0)


def test_a_full_schedule_refuses_and_keeps_what_it_has():
    later = Schedule(horizon=10, capacity=2)
    later.put(1, "a", now=0)
    later.put(2, "b", now=0)
    with pytest.raises(ControlError, match="2 bundles are waiting"):
        later.put(1.5, "c", now=0)
    assert later.take_due(5) == ["a", "b"]
