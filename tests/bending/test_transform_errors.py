"""Mistakes are answered with one exact sentence."""

import pytest
import torch

from audiobend.bending import apply_transform, check_values, get_transform
from audiobend.errors import TransformError

X = torch.zeros(2, 4, 3, 5)

ONE_OR_EACH = "one value, or one for each of the 2 items"
SENTENCES = [
    (("rotate", [400]), "rotate: angle must be in 0..360 degrees, got 400"),
    (("rotate", {"angle": -1.5}), "rotate: angle must be in 0..360 degrees, got -1.5"),
    (("rotate", {"angle": float("nan")}), "rotate: angle must be in 0..360 degrees, got nan"),
    (("rotate", {"angle": 10**400}), f"rotate: angle must be in 0..360 degrees, got 1{'0' * 56}..."),
    (("rotate", {"angle": "x" * 500}), f"rotate: angle must be a number, got '{'x' * 56}..."),
    (("rotate", {"angle": [10, 400]}), "rotate: angle must be in 0..360 degrees, got 400"),
    (("rotate", {"angle": "30"}), "rotate: angle must be a number, got '30'"),
    (("rotate", {"angle": True}), "rotate: angle must be a number, got True"),
    (("rotate", {"angle": None}), "rotate: angle must be a number, got None"),
    (("rotate", {"angel": 30}), "rotate: no parameter 'angel'; did you mean 'angle'?"),
    (("invert", {"qqq": 1}), "invert: no parameter 'qqq'"),
    (("rotate", [1, 2]), "rotate: takes 1 value (angle), got 2"),
    (("rotate", []), "rotate: takes 1 value (angle), got 0"),
    (("translate", [1]), "translate: takes 2 values (x y), got 1"),
    (("invert", [1]), "invert: takes no values, got 1"),
    (("scale", [1, 1, 1, 1]), "scale: takes (k) or (kx ky) or (k kx ky), got 4"),
    (("rotate", "30"), "rotate: parameters must be a list or a mapping, got '30'"),
    (("rotate", {"angle": [1, 2, 3]}), f"rotate: angle must be {ONE_OR_EACH}, got 3"),
    (("rotate", {"angle": []}), f"rotate: angle must be {ONE_OR_EACH}, got 0"),
    (("erode", [1.5]), "erode: radius must be a whole number, got 1.5"),
    (("erode", [33]), "erode: radius must be in 0..32 cells, got 33"),
    (("erodd", [1]), "unknown transform 'erodd'; did you mean 'erode'?"),
    ((7, [1]), "unknown transform 7; there are: "),
]


@pytest.mark.parametrize(("call", "sentence"), SENTENCES, ids=lambda v: str(v)[:40])
def test_wrong_values_are_refused_with_a_sentence(call, sentence):
    name, values = call
    with pytest.raises(TransformError) as error:
        apply_transform(name, X, values)
    said = str(error.value)
    assert said.startswith(sentence) if sentence.endswith(": ") else said == sentence


WHOLE = [
    ({"profile": "broad2021"}, "unknown profile 'broad2021'; did you mean 'broad2020'?"),
    ({"mix": 1.5}, "invert: mix must be in 0..1, got 1.5"),
    ({"mix": [0, 0.5, 1]}, f"invert: mix must be {ONE_OR_EACH}, got 3"),
    ({"features": [0, 4]}, "features must be in 0..3, got 4"),
    ({"features": [-1]}, "features must be in 0..3, got -1"),
    ({"features": [1.5]}, "features must be whole numbers, got 1.5"),
    ({"features": torch.tensor([True, False])}, "features must be whole numbers, got True"),
    ({"other": X[:1, :, :, :1]}, "the second maps must have shape (2, 4, 3, 5), got (1, 4, 3, 1)"),
]


@pytest.mark.parametrize(("bend", "sentence"), WHOLE, ids=lambda v: str(v)[:40])
def test_wrong_bends_are_refused_with_a_sentence(bend, sentence):
    with pytest.raises(TransformError) as error:
        apply_transform("invert", X, **bend)
    assert str(error.value) == sentence


@pytest.mark.parametrize("maps", [torch.zeros(4, 3, 5), torch.zeros(1, 4, 3, 5).int()], ids=["3-D", "int"])
def test_what_is_not_a_batch_of_maps_is_refused(maps):
    with pytest.raises(TransformError, match="maps must be floating-point numbers"):
        apply_transform("invert", maps)


def test_positional_forms_of_scale():
    assert check_values("scale", [2]) == {"k": 2, "kx": 1, "ky": 1}
    assert check_values("scale", [2, 3]) == {"k": 1, "kx": 2, "ky": 3}
    assert check_values("scale", [4, 2, 3]) == {"k": 4, "kx": 2, "ky": 3}


def test_whole_floats_are_whole_numbers_because_osc_sends_floats():
    radius = check_values("erode", [2.0])["radius"]
    assert radius == 2 and isinstance(radius, int)


def test_equal_values_for_all_items_become_one_value():
    assert check_values("rotate", {"angle": torch.tensor([90.0, 90.0])}, batch=2) == {"angle": 90.0}
    assert check_values("rotate", {"angle": [45]}, batch=2) == {"angle": 45.0}


def test_a_profile_adds_its_names_to_the_default_ones():
    assert get_transform("mean_filter", "zheng2022").params[0].name == "filter_shape"
    assert get_transform("erode", "zheng2022") is get_transform("erode")
    with pytest.raises(TransformError):
        get_transform("mean_filter")
    assert get_transform("rotate", "broad2020") is not get_transform("rotate")


def test_short_names_of_parameters_work():
    assert check_values("erode", {"r": 3}) == {"radius": 3}
    assert check_values("binary-thresh", {"t": 0.2}) == {"threshold": 0.2}
