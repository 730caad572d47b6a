"""Operations on kernels, and their undoing."""

import pytest
import torch
from torch import nn

from audiobend.bending.weights import WEIGHT_OPS, bend_weight, bent_weights
from audiobend.errors import TransformError

KERNELS = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.ConvTranspose2d(4, 2, (5, 3)))


def state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(network, before):
    return all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("op", WEIGHT_OPS)
def test_shape_is_kept_and_the_input_is_not_mutated(op):
    before = KERNELS.clone()
    bent = bend_weight(op, KERNELS)
    assert bent.shape == KERNELS.shape and not torch.equal(bent, KERNELS)
    bent.zero_()
    assert torch.equal(KERNELS, before)


@pytest.mark.parametrize("op", WEIGHT_OPS)
def test_unselected_kernels_are_bit_identical(op):
    bent = bend_weight(op, KERNELS, features=[1, 3])
    assert torch.equal(bent[[0, 2]], KERNELS[[0, 2]])
    assert torch.equal(bent[[1, 3]], bend_weight(op, KERNELS)[[1, 3]])


def test_operations_are_what_they_say():
    assert not bend_weight("zeros", KERNELS).any()
    assert bend_weight("ones", KERNELS).eq(1 / 9).all()
    assert torch.equal(bend_weight("invert", KERNELS), -KERNELS)
    assert torch.equal(bend_weight("transpose", KERNELS), KERNELS.mT)
    tap = bend_weight("centre-tap", KERNELS)
    assert torch.equal(tap[..., 1, 1], KERNELS[..., 1, 1]) and tap.ne(0).sum() == 12
    torch.testing.assert_close(bend_weight("mean-filter", KERNELS)[..., 1, 1], KERNELS.mean((-2, -1)))


def test_quarter_turns_are_counter_clockwise_and_four_are_none():
    kernel = torch.zeros(1, 1, 3, 3)
    kernel[..., 1, 2] = 1    # right of the centre
    assert bend_weight("rotate", kernel, [1])[0, 0, 0, 1] == 1    # above it
    turned = bend_weight("rotate", bend_weight("rotate", KERNELS, [3]), [1])
    assert torch.equal(turned, KERNELS)


@pytest.mark.parametrize("op", WEIGHT_OPS)
def test_the_network_is_bent_inside_and_restored_bit_for_bit(network, op):
    before, x = state(network), torch.randn(1, 2, 8, 8)
    plain = network(x)
    with bent_weights(network, "0.weight", op) as bent:
        assert bent is network
        assert torch.equal(network[0].weight, bend_weight(op, before["0.weight"]))
        assert not torch.equal(network(x), plain)
    assert same(network, before) and torch.equal(network(x), plain)


def test_the_network_is_restored_after_an_error(network):
    before = state(network)
    with pytest.raises(RuntimeError), bent_weights(network, ["0.weight", "2.weight"], "invert"):
        assert not same(network, before)
        raise RuntimeError
    assert same(network, before)


def test_bends_of_weights_can_be_nested(network):
    before = state(network)
    with bent_weights(network, "0.weight", "invert"):
        with bent_weights(network, "0.weight", "zeros", features=[0]):
            assert not network[0].weight[0].any()
        assert torch.equal(network[0].weight, -before["0.weight"])
    assert same(network, before)


def test_broken_numbers_come_back_too(network):
    with torch.no_grad():
        network[0].weight[0, 0, 0, 0] = torch.nan
    bits = network[0].weight.detach().clone().view(torch.int32)
    with bent_weights(network, "0.weight", "zeros"):
        pass
    assert torch.equal(network[0].weight.detach().view(torch.int32), bits)


def test_the_block_keeps_its_own_mode_of_gradients(network):
    with bent_weights(network, "0.weight", "invert"):
        assert torch.is_grad_enabled() and network[0].weight.requires_grad
    with torch.no_grad(), bent_weights(network, "0.weight", "invert"):
        assert not torch.is_grad_enabled()


SENTENCES = [
    (("0.wieght", "zeros", None), "the network has no parameter '0.wieght'; did you mean '0.weight'?"),
    (("0.weight", "zeroes", None), "unknown operation on weights 'zeroes'; did you mean 'zeros'?"),
    (("0.weight", "rotate", [4]), "rotate: quarters must be in 1..3, got 4"),
    (("0.weight", "rotate", {"quarters": [1, 2]}), "rotate: quarters must be one number, got 2"),
    (("0.bias", "zeros", None), "zeros: kernels must have 4 dimensions, got the shape (4,)"),
    ((["0.weight", "2.weight"], "transpose", None), "transpose: kernels must be square, got 5 by 3"),
]


@pytest.mark.parametrize(("call", "sentence"), SENTENCES, ids=lambda v: str(v)[:30])
def test_mistakes_change_nothing_and_are_told_in_a_sentence(network, call, sentence):
    before = state(network)
    with pytest.raises(TransformError) as error, bent_weights(network, *call):
        pass
    assert str(error.value) == sentence and same(network, before)
