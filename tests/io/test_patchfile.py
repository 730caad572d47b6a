"""Patches of three dialects are read unchanged, come back equal, and every mistake is one sentence."""

import json
import os

import pytest
import yaml

from audiobend.bending import (
    TRANSFORMS,
    All,
    Bend,
    Binding,
    Cluster,
    Indices,
    LatentBend,
    Modulation,
    Output,
    Patch,
    Random,
    Range,
    Site,
    WeightBend,
)
from audiobend.errors import AudiobendError, PatchError
from audiobend.io.patchfile import dump_patch, load_patch, parse_patch, patch_document, save_patch

OURS = """\
audiobend: 1                    # schema version
name: low tide
seed: 7
profile: default
transforms:
  - {id: fog, layer: 3, transform: erode, params: {radius: 2}, features: cluster, feature-param: 1, mix: 0.8}
  - {id: dust, layer: 1, transform: scalar-multiply, params: [2.0], features: random, feature-param: 0.25, on: false}
latent: [{op: offset, axis: 3, amount: 0.5}]
output: {mix: 1.0, detail: 0.0, gain_db: 0.0, limiter: true}
modulation: [{target: fog/radius, lfo: sine, rate_hz: 0.2, depth: 1.0}]
"""

BROAD = """\
transforms:
- layer: 4
  transform: "translate"
  params: [0.25, 0.0]
  features: "all"
  feature-param:
- layer: 5
  transform: "ablate"
  params: []
  features: "cluster"
  feature-param: 2
- layer: 12
  transform: "binary-thresh"
  params: [0.5]
  features: "random"
  feature-param: 0.5
- layer: 12
  transform: binary-tresh
  params: []
  features: all
  feature-param:

all-transforms:
- layer: 1
  transform: "erode"
  params: [2]
"""

ZHENG = """\
- resolution: 4
  install_after: Conv0_up
  layers:
  - {operation: invert, name: upside down, clusters: [], with_norm: true}
- resolution: 8
  install_after: Conv1
  layers:
  - {operation: translate, name: a, clusters: [0, 3], with_norm: false, translateX: 2, translateY: -1}
  - {operation: none, name: b}
  - {operation: mean_filter, name: c, clusters: [1], filter_shape: 5}
- {resolution: 1024, install_after: Conv0_up, layers: [{operation: sin_disrupt, sinX: [1], clusters: []}]}
"""


def test_ours_is_read_as_it_is_described():
    assert parse_patch(OURS) == Patch(
        name="low tide",
        seed=7,
        bends=(
            Bend("fog", 3, "erode", {"radius": 2}, Cluster((1,)), mix=0.8),
            Bend("dust", 1, "scalar-multiply", {"factor": 2.0}, Random(0.25), on=False),
        ),
        latent=(LatentBend("offset", {"axis": 3, "amount": 0.5}),),
        modulation=(Modulation("fog/radius", "sine", 0.2, 1.0),),
    )


def test_network_bendings_files_are_read_unchanged():
    patch = parse_patch(BROAD)
    assert patch.profile == "default"
    assert [(bend.id, bend.layer, bend.transform, dict(bend.params), bend.features) for bend in patch.bends] == [
        ("4-translate", 4, "translate", {"x": 0.25, "y": 0.0}, All()),
        ("5-ablate", 5, "ablate", {}, Cluster((2,))),
        ("12-binary-thresh", 12, "binary-thresh", {"threshold": 0.5}, Random(0.5)),
        ("12-binary-tresh", 12, "binary-tresh", {"threshold": 0.5}, All()),
    ]


def test_a_file_may_ask_for_the_originals_behaviour():
    assert parse_patch("profile: broad2020\n" + BROAD).profile == "broad2020"


def test_zhengs_templates_are_read_unchanged():
    patch = parse_patch(ZHENG)
    assert patch.profile == "zheng2022"
    assert [(bend.layer, bend.transform, bend.features, bend.with_norm, bend.site) for bend in patch.bends] == [
        ("const", "invert", All(), True, Site(4, "Conv0_up")),
        (2, "translate", Cluster((0, 3)), False, Site(8, "Conv1")),
        (2, "mean_filter", Cluster((1,)), False, Site(8, "Conv1")),
        (15, "sin_disrupt", All(), False, Site(1024, "Conv0_up")),
    ]
    assert patch.bends[1].params == {"translateX": 2, "translateY": -1}
    assert patch.bends[2].params["filter_shape"] == 5
    assert patch.bends[3].params["sinX"] == 1
    assert parse_patch(json.dumps(yaml.safe_load(ZHENG), indent="\t")) == patch


def test_of_two_entries_for_one_place_only_the_first_counts():
    twice = "- {resolution: 8, install_after: Conv1, layers: [{operation: invert}]}\n"
    with pytest.warns(UserWarning, match="8 px Conv1 stands twice; only the first counts"):
        patch = parse_patch(twice + twice.replace("invert", "shuffle"))
    assert [bend.transform for bend in patch.bends] == ["invert"]


def test_what_zhengs_code_ignored_is_ignored_with_a_warning():
    text = "[{resolution: 8, install_after: Conv1, layers: [{operation: mean_filter, kernel_size: 9}]}]"
    with pytest.warns(UserWarning, match="mean_filter: kernel_size is ignored"):
        assert parse_patch(text).bends[0].params == {"filter_shape": 3}


RICH = Patch(
    name="on: #1 ä",
    seed=2**32 - 1,
    profile="broad2020",
    bends=(
        Bend("a", "e2", "crop", {"x": 0.1, "y": 0.2, "width": 0.3, "height": 1e-5}, Range(3, 9)),
        Bend("b", "z", "noise", {"sigma": 0.1, "fresh": 1}, Indices(()), on=False, profile="default"),
        Bend("c", 16, "flip-h", {}, Indices((4, 2)), mix=0.1, with_norm=True, site=Site(16, "Conv1")),
        Bend("null", 2, "ablate", {}, Cluster((0, "low band"))),
        Bend("on", 2, "ablate", {}, Random(0.1, seed=3)),
    ),
    latent=(LatentBend("offset", {"axis": 0, "amount": -1.0}, levels=(0, 7)), LatentBend("invert", {"axis": -1})),
    output=Output(mix=0.5, detail=0.1, gain_db=-3.5, limiter=False, match_level=False),
    modulation=(Modulation("on/mix", "random", 3.0, 0.5, 0.25),),
    weights=(WeightBend(3, "rotate", {"quarters": 2}),),
    macros=(Binding(16, "on/mix", 0.9, 0.1), Binding(3, "gain_db"), Binding(16, "no/where"), Binding(3, "a/x", 0, 1)),
)


@pytest.mark.parametrize(
    "patch",
    [parse_patch(OURS), parse_patch(BROAD), parse_patch(ZHENG), RICH, Patch()],
    ids=["ours", "broad", "zheng", "rich", "empty"],
)
def test_a_patch_comes_back_from_its_file_as_it_was(tmp_path, patch):
    save_patch(patch, tmp_path / "p.yaml")
    assert load_patch(tmp_path / "p.yaml") == patch
    assert dump_patch(load_patch(tmp_path / "p.yaml")) == dump_patch(patch)
    assert dump_patch(patch).startswith("audiobend: 1\n")


@pytest.mark.parametrize(
    "patch",
    [
        Patch().add(3, "erode"),
        Patch().add(1, "binary-tresh", {"t": 0.25}),
        Patch().add("E1", "noise", {"sigma": 1}),
        Patch(profile="zheng2022").add(1, "mean_filter").set("1-mean_filter/mix", 0.5),
        Patch(bends=(Bend("a", 1, "mean_filter", profile="zheng2022"),)),
        Patch(latent=(LatentBend("scale", {"axis": "all"}), LatentBend("offset", levels=[1]))),
        Patch(weights=(WeightBend("3", "mean-filter"),)),
    ],
    ids=lambda patch: dump_patch(patch)[40:90],
)
def test_a_patch_made_by_hand_equals_what_its_file_says(patch):
    assert parse_patch(dump_patch(patch)) == patch


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_can_be_saved_and_loaded(name):
    patch = parse_patch(f"transforms: [{{layer: 1, transform: {name}}}]")
    assert patch.bends[0].params == TRANSFORMS[name].defaults()
    assert parse_patch(dump_patch(patch)) == patch


def test_macros_are_read_as_they_are_described():
    text = "macros: {3: fog/radius, 5: [mix, {target: fog/mix, from: 1, to: 0.5}], '16': latent/3/offset}"
    patch = parse_patch(f"{OURS}{text}\n")
    assert patch.macros == (
        *(Binding(3, "fog/radius"), Binding(5, "output/mix")),
        *(Binding(5, "fog/mix", 1, 0.5), Binding(16, "latent/3/offset")),
    )
    assert patch.replace(macros=()) == parse_patch(OURS)
    assert parse_patch(json.loads(json.dumps(patch_document(patch)))) == patch


def test_ids_are_the_same_at_every_reading_and_make_way_for_given_ones():
    text = "transforms: [{layer: 3, transform: erode}, {layer: 3, transform: erode}, %s]"
    patch = parse_patch(text % "{id: 3-erode, layer: 1, transform: ablate}")
    assert [bend.id for bend in patch.bends] == ["3-erode-2", "3-erode-3", "3-erode"]
    assert parse_patch(text % "{id: 3-erode, layer: 1, transform: ablate}") == patch


def one(entry):
    return f"transforms: [{{layer: 1, transform: ablate}}, {entry}]"


WRONG = {
    "audiobend: 2\ntransforms: []": "audiobend must be 1, the version of patch files, got 2",
    "audiobend: true\ntransforms: []": "audiobend must be 1, the version of patch files, got True",
    "audiobend: '1'\ntransforms: []": "audiobend must be 1, the version of patch files, got '1'",
    "transfroms: []": "unknown key 'transfroms'; did you mean 'transforms'?",
    "name: x": "a patch needs a list 'transforms'",
    "transforms: {layer: 1}": "transforms must be a list (lines that begin with '- '), got {'layer': 1}",
    "transforms: erode": "transforms must be a list (lines that begin with '- '), got 'erode'",
    "hello": "a patch must be a mapping with a list 'transforms', or a list of places to bend",
    "42": "a patch must be a mapping with a list 'transforms', or a list of places to bend",
    "[1, 2]": "a patch must be a mapping with a list 'transforms', or a list of places to bend",
    "[{layer: 1, transform: erode}]": "a patch must be a mapping with a list 'transforms'",
    "{seed: x, transforms: []}": "seed must be a whole number in 0..4294967295, got 'x'",
    "{seed: -1, transforms: []}": "seed must be a whole number in 0..4294967295, got -1",
    "{name: [a], transforms: []}": "name must be a word, got ['a']",
    "{profile: broad, transforms: []}": "unknown profile 'broad'; did you mean 'broad2020'?",
    "{transforms: [], macros: [mix]}": "macros must be a mapping such as {3: fog/radius}, got ['mix']",
    "{transforms: [], macros: {17: mix}}": "macros: a macro is one of 1..16, got 17; the nearest is 16",
    "{transforms: [], macros: {x: mix}}": "macros: a macro is one of 1..16, got 'x'",
    "{transforms: [], macros: {3: 4}}": "macros: 3: must be a target such as fog/radius, or a list of them, got 4",
    "{transforms: [], macros: {3: {target: mix, form: 1}}}": "macros: 3: unknown key 'form'; did you mean 'from'?",
    "{transforms: [], macros: {3: {target: mix, to: 1}}}": "macros: 3: output/mix: a range has two ends",
    "{transforms: [], macros: {3: {from: 0, to: 1}}}": "macros: 3: a target such as fog/radius is needed, got ''",
    "{transforms: [], macros: {3: [mix, output/mix]}}": "macro 3: 'output/mix' is there twice",
    one("erode"): "transforms[1]: must be a mapping such as {layer: 3, transform: erode, params: [2]}, got 'erode'",
    one("null"): "transforms[1]: must be a mapping such as",
    one("{transform: erode}"): "transforms[1]: needs 'layer'",
    one("{layer: 1}"): "transforms[1]: needs 'transform'",
    one("{layer: 1, transform: 3}"): "transforms[1]: unknown transform '3'; there are: ",
    one("{layer: 1, transform: [erode]}"): "transforms[1]: transform must be a word, got ['erode']",
    one("{layer: 1, transform: erodd}"): "transforms[1]: unknown transform 'erodd'; did you mean 'erode'?",
    one("{layer: 1.5, transform: erode}"): "transforms[1]: layer must be a number such as 3, or one of e1..e5, z, w",
    one("{layer: true, transform: erode}"): "transforms[1]: layer must be a number such as 3",
    one("{layer: 1, transform: rotate, params: [400]}"): (
        "transforms[1]: rotate: angle must be in 0..360 degrees, got 400"
    ),
    one(f"{{layer: 1, transform: rotate, params: [1{'0' * 400}]}}"): (
        f"transforms[1]: rotate: angle must be in 0..360 degrees, got 1{'0' * 56}..."
    ),
    one("{layer: 1, transform: rotate, params: {angel: 4}}"): (
        "transforms[1]: rotate: no parameter 'angel'; did you mean 'angle'?"
    ),
    one("{layer: 1, transform: rotate, params: [1, 2]}"): "transforms[1]: rotate: takes 1 value (angle), got 2",
    one("{layer: 1, transform: rotate, params: 45}"): (
        "transforms[1]: rotate: parameters must be a list or a mapping, got 45"
    ),
    one("{layer: 1, transform: rotate, params: [x]}"): "transforms[1]: rotate: angle must be a number, got 'x'",
    one("{layer: 1, transform: rotate, params: [true]}"): "transforms[1]: rotate: angle must be a number, got True",
    one("{layer: 1, transform: rotate, params: {angle: [1, 2]}}"): (
        "transforms[1]: rotate: angle must be one number, got 2"
    ),
    one("{layer: 1, transform: erode, params: [1.5]}"): "transforms[1]: erode: radius must be a whole number, got 1.5",
    one("{layer: 1, transform: erode, featurs: all}"): "transforms[1]: unknown key 'featurs'; did you mean 'features'?",
    one("{layer: 1, transform: erode, features: clusters}"): (
        "transforms[1]: features must be one of all, random, cluster, range, indices; got 'clusters'; "
        "did you mean 'cluster'?"
    ),
    one("{layer: 1, transform: erode, features: [1, 2]}"): "transforms[1]: features must be one of all, random,",
    one("{layer: 1, transform: erode, features: random}"): (
        "transforms[1]: features: random needs a feature-param: a share of the features in 0..1; got None"
    ),
    one("{layer: 1, transform: erode, features: random, feature-param: 25}"): (
        "transforms[1]: features: random: the fraction must be in 0..1, got 25"
    ),
    one(f"{{layer: 1, transform: erode, features: random, feature-param: 1{'0' * 400}}}"): (
        "transforms[1]: features: random needs a feature-param: a share of the features in 0..1; got 100"
    ),
    one("{layer: 1, transform: erode, features: random, feature-param: true}"): (
        "transforms[1]: features: random needs a feature-param"
    ),
    one("{layer: 1, transform: erode, features: random, feature-param: 0.5, feature-seed: x}"): (
        "transforms[1]: feature-seed must be a whole number in 0..4294967295, got 'x'"
    ),
    one("{layer: 1, transform: erode, features: cluster}"): (
        "transforms[1]: features: cluster needs a feature-param: an index such as 1, a label, or a list of them"
    ),
    one("{layer: 1, transform: erode, features: cluster, feature-param: 1.5}"): (
        "transforms[1]: features: cluster needs a feature-param"
    ),
    one("{layer: 1, transform: erode, features: range, feature-param: [3]}"): (
        "transforms[1]: features: range needs a feature-param [low, high]; got [3]"
    ),
    one("{layer: 1, transform: erode, features: range, feature-param: [9, 3]}"): (
        "transforms[1]: features: range must be [low, high] with 0 <= low < high, got [9, 3]"
    ),
    one("{layer: 1, transform: erode, features: indices, feature-param: 3}"): (
        "transforms[1]: features: indices needs a feature-param: a list of features; got 3"
    ),
    one("{layer: 1, transform: erode, features: indices, feature-param: [3, 3]}"): (
        "transforms[1]: features: indices: each feature may stand there once, got 3 twice"
    ),
    one("{layer: 1, transform: erode, mix: 2}"): "transforms[1]: 1-erode: mix must be in 0..1, got 2",
    one("{layer: 1, transform: erode, mix: loud}"): "transforms[1]: 1-erode: mix must be a number, got 'loud'",
    one("{layer: 1, transform: erode, on: maybe}"): "transforms[1]: on must be true or false, got 'maybe'",
    one("{layer: 1, transform: erode, id: a/b}"): "transforms[1]: id must be a word without blanks or any of",
    "transforms: [{layer: 1, transform: erode, id: a}, {layer: 2, transform: erode, id: a}]": (
        "transforms[1]: id 'a' is taken by another entry"
    ),
    one("{layer: 1, transform: erode, profile: z}"): "transforms[1]: unknown profile 'z'; there are: ",
    one("{layer: 1, transform: erode, profile: 3}"): "transforms[1]: unknown profile '3'; there are: ",
    one("{layer: 1, transform: erode, profile: [x]}"): "transforms[1]: profile must be a word, got ['x']",
    one("{layer: 1, transform: erode, profile: false}"): "transforms[1]: profile must be a word, got False",
    one("{layer: 1, transform: erode, resolution: 5, install-after: Conv1}"): (
        "transforms[1]: place: resolution must be one of 4, 8, 16,"
    ),
    "{transforms: [], output: {details: 1}}": "output: unknown key 'details'; did you mean 'detail'?",
    "{transforms: [], output: {mix: 2}}": "output: mix must be in 0..1, got 2",
    "{transforms: [], output: {limiter: 3}}": "output: limiter must be true or false, got 3",
    "{transforms: [], output: loud}": "output must be a mapping such as {mix: 1.0, detail: 0.0}, got 'loud'",
    "{transforms: [], latent: [{op: ofset}]}": "latent[0]: unknown latent operation 'ofset'; did you mean 'offset'?",
    "{transforms: [], latent: [{axis: 3}]}": "latent[0]: must be a mapping with an 'op', got {'axis': 3}",
    "{transforms: [], latent: [{op: offset, axes: 3}]}": "latent[0]: offset: no parameter 'axes'; did you mean 'axis'?",
    "{transforms: [], latent: [{op: offset, axis: [1, 2]}]}": "latent[0]: offset: axis must be one number, got 2",
    "{transforms: [], latent: [{op: offset, levels: 3}]}": "latent[0]: levels must be a list such as [0, 1]; got 3",
    "{transforms: [], weights: [{layer: 1, op: zero}]}": (
        "weights[0]: unknown operation on weights 'zero'; did you mean 'zeros'?"
    ),
    "{transforms: [], weights: [{layer: 1, op: rotate, quarters: [1, 2]}]}": (
        "weights[0]: rotate: quarters must be one number, got 2"
    ),
    "{transforms: [], weights: [{layer: 1, op: mean-filter, size: [3, 5]}]}": (
        "weights[0]: mean-filter: size must be one number, got 2"
    ),
    "{transforms: [], weights: [{op: zeros}]}": "weights[0]: layer must be a number such as 3",
    "{transforms: [], modulation: [{lfo: sine}]}": (
        "modulation[0]: must be a mapping with a 'target' such as fog/radius, got {'lfo': 'sine'}"
    ),
    "{transforms: [], modulation: [{target: a/b, lfo: sinus}]}": "modulation[0]: unknown lfo 'sinus'; did you mean",
    "{transforms: [], modulation: [{target: a/b, lfo: [x]}]}": (
        "modulation[0]: unknown lfo ['x']; there are: off, sine, triangle, square, random"
    ),
    "{transforms: [], modulation: [{target: a/b, rate: 1}]}": "modulation[0]: unknown key 'rate'; did you mean",
    "{transforms: [], modulation: [{target: a/b, rate_hz: fast}]}": (
        "modulation[0]: a/b: rate_hz must be a number, got 'fast'"
    ),
    "{transforms: [], modulation: [{target: a/b, phase: 2}]}": "modulation[0]: a/b: phase must be in 0..1 of a period",
    "[{resolution: 5, install_after: Conv1}]": "[0]: resolution must be one of 4, 8, 16, 32, 64, 128, 256, 512",
    "[{resolution: 8, install_after: Conv2}]": "[0]: install_after must be Conv0_up or Conv1, got 'Conv2'",
    "[{resolution: 8, instal_after: Conv1}]": "[0]: unknown key 'instal_after'; did you mean 'install_after'?",
    "[{resolution: 8, install_after: Conv1, layers: {a: 1}}]": "[0]: layers must be a list of operations",
    "[{resolution: 8, install_after: Conv1, layers: [{operation: inver}]}]": (
        "[0]: layers[0]: unknown transform 'inver'; did you mean 'invert'?"
    ),
    "[{resolution: 8, install_after: Conv1, layers: [{operation: invert, clusters: 1}]}]": (
        "[0]: layers[0]: clusters must be a list of cluster indices such as [0, 2], got 1"
    ),
    "[{resolution: 8, install_after: Conv1, layers: [{operation: translate, transX: 1}]}]": (
        "[0]: layers[0]: translate: no parameter 'transX'; did you mean 'translateX'?"
    ),
    "a: [": "line 2: is not YAML",
    "transforms: []\ntransforms: []": "line 2: the key 'transforms' stands twice",
    one("{layer: 1, transform: rotate, params: [.nan]}"): "holds nan, which is not a number one can use",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_patch_is_one_sentence_with_its_file_and_place(tmp_path, text):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(AudiobendError) as caught:
        load_patch(tmp_path / "p.yaml")
    assert type(caught.value) is PatchError
    assert str(caught.value).startswith(f"{tmp_path}/p.yaml: {WRONG[text]}")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < len(str(tmp_path)) + 700


def test_long_values_are_cut_in_sentences():
    with pytest.raises(PatchError) as caught:
        parse_patch({"transforms": "x" * 100_000})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (lambda path: None, "cannot be read: there is no such file or folder"),
        (lambda path: path.mkdir(), "is a folder, not a file"),
        (lambda path: path.write_text(""), "the file is empty"),
        (lambda path: path.write_bytes(bytes(range(256))), "is not a text file (UTF-8)"),
        (lambda path: os.mkfifo(path), "is not a plain file"),
        (lambda path: path.write_text("# nothing but a comment\n"), "a patch must be a mapping with a list"),
    ],
)
def test_what_is_no_patch_file_is_one_sentence(tmp_path, make, end):
    make(tmp_path / "p.yaml")
    with pytest.raises(PatchError) as caught:
        load_patch(tmp_path / "p.yaml")
    assert str(caught.value).startswith(f"{tmp_path}/p.yaml: {end}")


def test_a_patch_that_cannot_be_saved_leaves_the_old_one(tmp_path):
    save_patch(RICH, tmp_path / "p.yaml")
    broken = RICH.replace(name=object())
    with pytest.raises(Exception, match="cannot represent an object"):
        save_patch(broken, tmp_path / "p.yaml")
    assert load_patch(tmp_path / "p.yaml") == RICH
    with pytest.raises(PatchError, match=r"the folder .* does not exist"):
        save_patch(RICH, tmp_path / "missing" / "p.yaml")
