"""What a patch for sound means for pictures: layers by relative depth, features and clusters by their share."""

from types import SimpleNamespace

import pytest
import torch

from audiobend.bending import Clusters, LatentBend, Modulation, Patch, WeightBend
from audiobend.bending.features import Cluster, Indices, Random, Range
from audiobend.networks.stylegan2 import Architecture, StyleGAN2, standard_features
from audiobend.picture_live.depth import Side, features_at_same_place, layer_at_same_depth, picture_patch


def layers(**counts):
    names = {name.lstrip("_"): n for name, n in counts.items()}
    return [
        SimpleNamespace(name=int(name) if name.isdigit() else name, n_features=n, height=8, width=8, axes=("y", "x"))
        for name, n in names.items()
    ]


SOUND = Side(layers(e1=4, e2=8, e3=8, z=16, _1=40, _2=20, _3=10, _4=10, _5=1), n_axes=16)
PICTURE = Side(layers(z=8, m1=8, m2=8, w=8, const=80, _0=80, _1=80, _2=80, _3=40, _4=40, _5=20, _6=20, _7=10, _8=5),
               n_axes=8)    # fmt: skip


def of(side, layer, n):
    labels = {layer: torch.arange(side.n_features(layer)) * n // side.n_features(layer)}
    return Side(side.layers, Clusters.from_labels(labels), side.n_axes)


def test_layers_keep_their_share_of_the_way():
    found = [layer_at_same_depth(one.name, SOUND, PICTURE) for one in SOUND.layers]
    assert found == ["m1", "m2", "m2", "w", 1, 3, 5, 6, 8]
    assert layer_at_same_depth(9, SOUND, PICTURE) is None and layer_at_same_depth("x", SOUND, PICTURE) is None


@pytest.mark.parametrize("size", [8, 64, 256, 1024])
def test_at_every_size_depth_grows_and_both_ends_meet(size):
    with torch.device("meta"):
        network = StyleGAN2(Architecture(standard_features(size)))
    found = [layer_at_same_depth(layer, SOUND, Side(network.layers())) for layer in range(1, 6)]
    assert found[0] == 1 and found[-1] == network.architecture.n_layers - 1 and found == sorted(found)


def test_features_keep_their_share_of_the_layer():
    def same(features, sound=SOUND, picture=PICTURE, layer=2, to=3):
        return features_at_same_place(features, layer, to, sound, picture)

    assert same(Random(0.25, 3)) == Random(0.25, 3)
    assert same(Range(5, 10)) == Indices(tuple(range(10, 20)))
    assert same(Indices((0, 19))) == Indices((0, 1, 38, 39))
    assert same(Indices((0, 39)), layer=1, to=7) == Indices((0, 9))
    four = of(SOUND, 2, 4)
    assert same(Cluster((1,)), four) == Indices(tuple(range(10, 20)))    # a picture's layer without clusters
    assert same(Cluster((0, 3)), four, of(PICTURE, 3, 8)) == Cluster((1, 7))
    assert same(Cluster((0, 1, 3)), four, of(PICTURE, 3, 2)) == Cluster((0, 1))


def test_a_patch_keeps_ids_values_and_movements_and_loses_what_has_no_meaning():
    patch = Patch(seed=9).add(2, "erode", {"radius": 2}, id="fog", mix=0.5).add("e1", "invert", id="in")
    patch = patch.add(7, "invert", id="lost")
    patch = patch.replace(
        latent=(LatentBend("offset", {"axis": 3, "amount": 2.0}), LatentBend("offset", {"axis": 12, "amount": 1.0})),
        modulation=(Modulation("fog/mix", depth=0.2), Modulation("lost/mix", depth=0.2), Modulation("output/mix")),
        weights=(WeightBend(3, "invert"), WeightBend("e2", "invert")),
    )
    found = picture_patch(patch, SOUND, PICTURE)
    assert [(one.id, one.layer) for one in found.bends] == [("fog", 3), ("in", "m1")]
    assert found.bend("fog").params == {"radius": 2} and found.bend("fog").mix == 0.5 and found.seed == 9
    assert [one.params["axis"] for one in found.latent] == [3]
    assert [one.target for one in found.modulation] == ["fog/mix"]
    assert [one.layer for one in found.weights] == [5]


def test_a_real_patch_for_sound_resolves_for_a_generator(small_model, tiny_model):
    from audiobend.picture_live.beside import side_of_sound
    from audiobend.picture_live.easel import side_of

    patch = Patch(seed=1).add(1, "rotate", {"angle": 45}, features=Cluster((1,))).add(5, "blur", {"sigma": 1.0})
    patch = patch.add("z", "scalar-multiply", {"factor": 2.0}).add("e4", "ablate", features=Random(0.5))
    found = picture_patch(patch, side_of_sound(tiny_model), side_of(small_model))
    assert [one.layer for one in found.bends] == [1, 4, "w", "m2"]
    small_model.resolve(found)
