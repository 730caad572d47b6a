"""What a take sounded like is remembered while it is recorded."""

import pytest

from audiobend.page.levels import TakeLevels
from audiobend.page.messages import News


def test_levels_belong_to_the_take_that_is_recorded_and_begin_anew_with_it():
    levels = TakeLevels()
    levels.hear({"out_db": 0.0})
    for name, db in (("one", -30.0), ("two", -90.0), ("two", -6.0)):
        levels.follow(News([(0, ["/audiobend/take/name", name])]))
        levels.hear({"out_db": db})
    levels.hear({})
    levels.follow(News([(0, ["/audiobend/take/name", ""])]))
    levels.hear({"out_db": 0.0})
    assert levels.of("one") == [pytest.approx(0.032)]
    assert levels.of("two") == [pytest.approx(0.501), 0.0]
    assert levels.of("three") == []
