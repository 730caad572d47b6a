"""What can be turned, what cannot, and what is refused by name before anything is done."""

import pytest

from audiobend.bending import LatentBend, Modulation, Patch
from audiobend.errors import AudiobendError, PatchError
from audiobend.export import bends
from audiobend.export.controls import attribute_name, parse_controls
from audiobend.export.exporting import plan_export

ZHENG = Patch(profile="zheng2022").add(3, "rotate", {"rotation": 1.0}, id="turn")


def refused(model, patch, **options):
    with pytest.raises(AudiobendError) as error:
        plan_export(model, patch, options.pop("format", "nn~"), **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("fog/radios", "did you mean 'radius'"),
        ("frog/radius", "there is no bend 'frog'"),
        ("fog/features", "drawn when the file is made"),
        ("seed", "drawn when the file is made"),
        ("latent/3/offset", "no such entry under latent"),
        ("fog/radius/lfo/rate", "nothing in the patch moves fog/radius"),
        ("output/loudness", "output has no 'loudness'"),
    ],
)
def test_a_control_that_is_not_there_is_refused_by_name(tiny_model, fog, target, words):
    assert words in refused(tiny_model, fog, controls=f"fog/mix,{target}")


def test_a_value_that_is_part_of_the_file_cannot_be_turned(tiny_model):
    text = refused(tiny_model, ZHENG, controls="turn/rotation")
    assert "turn/rotation" in text and "rotate" in text and "turn/mix" in text
    assert [one.target for one in plan_export(tiny_model, ZHENG, "nn~").controls][:2] == ["turn/on", "turn/mix"]
    assert "turn/rotation" not in [one.target for one in plan_export(tiny_model, ZHENG, "nn~").controls]


def test_a_transform_without_an_exported_form_is_refused_by_name(tiny_model, fog, monkeypatch):
    monkeypatch.delitem(bends.EXPORTED, ("default", "erode"))
    assert "fog: erode cannot be exported" in refused(tiny_model, fog)


def test_controls_of_a_bend_that_is_off_need_its_switch(tiny_model, fog):
    off = fog.set("dust/on", False)
    assert "dust/on" in refused(tiny_model, off, controls="dust/factor")
    assert len(plan_export(tiny_model, off, "nn~", controls="dust/factor,dust/on").controls) == 2


def test_two_controls_of_one_name_are_refused(tiny_model):
    patch = Patch().add(3, "erode", id="a-b").add(3, "dilate", id="a_b")
    assert "both be called 'a_b_radius'" in refused(tiny_model, patch, controls="a-b/radius,a_b/radius")


def test_neutone_has_four_knobs(tiny_model, fog):
    five = "fog/radius,fog/mix,dust/mix,dust/factor,output/mix"
    assert "Neutone has 4 knobs, got 5" in refused(tiny_model, fog, format="neutone", controls=five)
    assert len(plan_export(tiny_model, fog, "neutone").controls) == 4


def test_a_patch_that_does_not_fit_is_refused(tiny_model):
    assert "layer 9" in refused(tiny_model, Patch().add(9, "erode"))


def test_unknown_formats_and_latencies_are_refused(tiny_model, fog):
    assert "did you mean 'torchscript'" in refused(tiny_model, fog, format="torchscrip")
    assert "latency must be one of" in refused(tiny_model, fog, profile="lowest")


def test_everything_that_moves_has_controls(tiny_model):
    patch = Patch(
        latent=(LatentBend("offset", {"axis": 2, "amount": 0.5}),),
        modulation=(Modulation("fog/radius", "sine"),),
        bends=Patch().add(3, "erode", id="fog").bends,
    )
    found = parse_controls(patch, "fog/radius/lfo/rate, fog/radius/lfo/depth,latent/2/offset,output/limiter")
    assert [one.attribute for one in found] == [
        "fog_radius_lfo_rate", "fog_radius_lfo_depth", "latent_2_offset", "output_limiter"
    ]    # fmt: skip
    assert [one.value for one in found] == [0.2, 1.0, 0.5, 1.0]
    with pytest.raises(PatchError, match="needs /rate, /depth or /phase"):
        parse_controls(patch, "fog/radius/lfo")


def test_attribute_names_are_words():
    for target in ("3-erode/mix", "layer3.all.erode/radius", "nebel-ü/mix", "a b/c"):
        assert attribute_name(target).isidentifier()
        assert attribute_name(target).isascii()
