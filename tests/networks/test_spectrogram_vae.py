"""The network is the paper's, and bending leaves no trace."""

import pytest
import torch

from audiobend.bending import Patch, resolve
from audiobend.networks import SpectrogramVAE, bent, for_inference
from audiobend.networks.bendable import CallSites


class Record:
    """A plan that bends nothing and remembers what it saw."""

    def __init__(self, layers):
        self.layers, self.shapes = layers, {}

    def apply(self, layer, x, *, times=None, call=0):
        self.shapes[layer] = tuple(x.shape[1:])
        return x


def window(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 1, 128, 513, generator=torch.Generator().manual_seed(0))


def test_full_width_has_the_papers_sizes():
    with torch.device("meta"):
        vae = SpectrogramVAE()
        n_parameters = sum(parameter.numel() for parameter in vae.parameters())
        code, log_variance = vae.encode(torch.empty(1, 1, 128, 513))
        output = vae.decode(code)
    assert tuple(code.shape) == tuple(log_variance.shape) == (1, 512)
    assert tuple(output.shape) == (1, 1, 128, 513)
    assert vae.mean.in_features == 34816    # the paper's flattened encoder
    assert {layer.name: (layer.n_features, layer.height, layer.width) for layer in vae.layers()} == {
        "e1": (64, 64, 257), "e2": (128, 32, 129), "e3": (256, 16, 65), "e4": (512, 8, 33), "e5": (512, 4, 17),
        "z": (512, 1, 1),
        1: (512, 8, 33), 2: (256, 17, 65), 3: (128, 32, 129), 4: (64, 64, 257), 5: (1, 128, 513),
    }
    # The author's encoder has 28.69 M with one head for both mean and variance, the decoder 27.21 M; a head 17.83 M.
    assert n_parameters == pytest.approx(28.69e6 + 17.83e6 + 27.21e6, rel=1e-3)


def test_layers_are_what_the_network_really_puts_out(tiny_network):
    record = Record([layer.name for layer in tiny_network.layers()])
    with bent(tiny_network, record), torch.no_grad():
        tiny_network(window())
    expected = {layer.name: (layer.n_features, layer.height, layer.width) for layer in tiny_network.layers()}
    assert record.shapes == expected


def test_folding_changes_nothing_but_rounding(tiny_network):
    with torch.no_grad():
        torch.testing.assert_close(for_inference(tiny_network)(window()), tiny_network(window()), rtol=0, atol=2e-5)


def test_removing_bends_restores_the_network_bit_for_bit(tiny_network):
    before = {name: value.clone() for name, value in tiny_network.state_dict().items()}
    plan = resolve(Patch().add(2, "ablate").add(3, "rotate", {"angle": 90}), tiny_network.layers())
    with torch.no_grad():
        unbent = tiny_network(window())
        with bent(tiny_network, plan):
            assert not torch.equal(tiny_network(window()), unbent)
        assert torch.equal(tiny_network(window()), unbent)
    assert all(torch.equal(before[name], value) for name, value in tiny_network.state_dict().items())
    assert all(not module._forward_hooks for module in tiny_network.modules())


def test_bends_go_even_when_the_performance_fails(tiny_network):
    plan = resolve(Patch().add(2, "ablate"), tiny_network.layers())
    with pytest.raises(RuntimeError, match="stage"), bent(tiny_network, plan):
        raise RuntimeError("fell off the stage")
    assert all(not module._forward_hooks for module in tiny_network.modules())


def test_a_plan_can_be_swapped_behind_the_call_sites(tiny_network):
    layers = tiny_network.layers()
    with torch.no_grad():
        unbent = tiny_network(window())
        with bent(tiny_network) as sites:
            assert torch.equal(tiny_network(window()), unbent)
            sites.plan = resolve(Patch().add(4, "invert"), layers)
            assert not torch.equal(tiny_network(window()), unbent)
            sites.plan = None
            assert torch.equal(tiny_network(window()), unbent)


def test_mix_0_is_no_bend_bit_for_bit(tiny_network):
    plan = resolve(Patch().add(3, "invert", mix=0.0).add(1, "ablate", on=False), tiny_network.layers())
    with torch.no_grad():
        unbent = tiny_network(window())
        with bent(tiny_network, plan):
            assert torch.equal(tiny_network(window()), unbent)


@pytest.mark.parametrize("layer", ["e1", "e5", "z", 1, 4, 5])
def test_every_kind_of_layer_can_be_bent(tiny_network, layer):
    plan = resolve(Patch().add(layer, "scalar-multiply", {"factor": -2.0}), tiny_network.layers())
    with torch.no_grad():
        unbent = tiny_network(window())
        with bent(tiny_network, plan):
            assert not torch.allclose(tiny_network(window()), unbent, atol=1e-6)


def test_codes_are_bent_as_maps_of_one_cell():
    sites = CallSites()
    sites.plan = Record(["z"])
    assert sites.bend("z", torch.zeros(3, 512)).shape == (3, 512)
    assert sites.plan.shapes == {"z": (512, 1, 1)}
