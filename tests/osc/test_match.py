"""OSC patterns: against fnmatch where both mean the same, and by hand where they do not; always in bounded steps."""

import fnmatch
import random

import pytest

from audiobend.errors import ControlError
from audiobend.osc.match import PartPattern, is_pattern


def test_agrees_with_an_independent_matcher():
    rng = random.Random(5)
    for _ in range(5000):
        pattern = "".join(rng.choice(["a", "b", "*", "?", "[ab]", "[!a]", "[a-c]"]) for _ in range(rng.randint(0, 7)))
        name = "".join(rng.choice("abcd") for _ in range(rng.randint(0, 7)))
        assert PartPattern.of(pattern).matches(name) == fnmatch.fnmatchcase(name, pattern), (pattern, name)


@pytest.mark.parametrize(
    "pattern, name, expected",
    [
        ("{erode,dilate}", "dilate", True),
        ("{erode,dilate}", "dilat", False),
        ("{e,er}ode", "erode", True),
        ("{er,e}ode", "erode", True),
        ("{,x}a", "a", True),
        ("*{h,v}", "flip-h", True),
        ("[a-]x", "-x", True),
        ("[!!]", "a", True),
        ("flip-?", "flip-h", True),
        ("erode", "eroded", False),
        ("rode", "erode", False),
    ],
)
def test_alternatives_and_anchors(pattern, name, expected):
    assert PartPattern.of(pattern).matches(name) is expected


@pytest.mark.parametrize("pattern", ["[ab", "{a,b", "a]", "a}"])
def test_brackets_must_match(pattern):
    with pytest.raises(ControlError, match="bracket"):
        PartPattern.of(pattern)


def test_every_sign_makes_a_pattern():
    assert all(map(is_pattern, ["/a/*", "/?", "/[a]", "/{a}"]))
    assert not is_pattern("/audiobend/layer/e1/all/flip-h")


@pytest.mark.parametrize("pattern", ["*a" * 60 + "x", "*" * 200 + "x", "{a,aa}" * 40 + "x", "[!x]*" * 50 + "x"])
def test_places_never_outnumber_the_letters(pattern):
    """What makes other matchers take for ever: here every step holds at most one place for each letter."""
    name, places = "a" * 200, {0}
    part = PartPattern.of(pattern)
    assert len(part.steps) <= len(pattern)
    for step in part.steps:
        places = step(places, name)
        assert len(places) <= len(name) + 1
    assert not part.matches(name)
