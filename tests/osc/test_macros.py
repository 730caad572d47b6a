"""Macros over OSC: turned, bound by a patch's names or by addresses, asked for, and told to whoever listens."""

import pytest

from audiobend.bending import Binding
from tests.osc.conftest import ELSEWHERE

M = "/audiobend/macro/3"


def test_a_macro_moves_what_it_is_bound_to(talk, desk):
    assert talk(f"{M}/bind", "fog/radius", 0, 8) == [("/audiobend/done", (f"{M}/bind",))]
    assert talk(M, 0.5) == []
    assert (desk.state.patch.get("fog/radius"), talk.value(M)) == (4, 0.5)


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("mix", "output/mix"),
        ("gain", "output/gain_db"),
        ("/audiobend/detail", "output/detail"),
        ("bend/fog/radius", "fog/radius"),
        ("/audiobend/bend/fog/on", "fog/on"),
        ("latent/2/offset", "latent/2/offset"),
        ("fog/mix/lfo/rate", "fog/mix/lfo/rate"),
        ("layer/2/cluster/1/rotate/angle", "layer2.cluster1.rotate/angle"),
    ],
)
def test_a_target_may_be_named_as_in_a_patch_or_by_its_address(talk, desk, given, target):
    talk(f"{M}/bind", given)
    assert desk.state.patch.macros == (Binding(3, target),)
    talk(f"{M}/unbind", given)
    assert desk.state.patch.macros == ()


def test_what_a_macro_moves_can_be_asked_for(talk):
    assert talk(f"{M}/bind") == [(f"{M}/bind", ())]
    talk(f"{M}/bind", "fog/radius", 8, 0)
    talk(f"{M}/bind", "mix")
    assert talk(f"{M}/bind") == [(f"{M}/bind", ("fog/radius", 8, 0, "output/mix", 0.0, 1.0))]
    assert [args for _, args in talk("/audiobend/list/macros")] == [
        (0, 2, 3, "fog/radius", 8.0, 0.0), (1, 2, 3, "output/mix", 0.0, 1.0), ("/audiobend/list/macros", 2),
    ]
    talk(f"{M}/unbind")
    assert talk(f"{M}/bind") == [(f"{M}/bind", ())]


def test_subscribers_hear_of_bindings_of_values_and_of_what_they_move(talk):
    def told(*message):
        talk("/audiobend/notify", 1, sender=ELSEWHERE)
        talk(*message)
        return {address: args for _, address, args in talk.others if not address.endswith("/count")}

    assert told(f"{M}/bind", "mix", 1.0, 0.0) == {f"{M}/bind": ("output/mix", 1.0, 0.0)}
    assert told(M, 0.25) == {M: (0.25,), "/audiobend/mix": (0.75,)}
    assert told("/audiobend/undo") == {M: (0.0,), "/audiobend/mix": (1.0,)}
    assert told(f"{M}/unbind") == {f"{M}/bind": ()}


def test_who_turns_a_macro_hears_what_it_moved_but_no_echo(talk):
    talk(f"{M}/bind", "mix", 1.0, 0.0)
    talk("/audiobend/notify", 1)
    told = [address for address, _ in talk(M, 0.25)]
    assert "/audiobend/mix" in told and M not in told


def test_many_values_that_come_together_take_effect_as_the_last_one(talk, desk):
    from audiobend.osc.encode import encode

    talk(f"{M}/bind", "fog/radius", 0, 8)
    for n in range(9):
        talk.responder.receive(encode(M, [n / 8]), ELSEWHERE, 0.0, 0.0)
    talk.turn()
    assert desk.state.patch.get("fog/radius") == 8 and talk.responder.pending.coalesced == 8


@pytest.mark.parametrize(
    ("address", "args", "code", "sentence"),
    [
        ("/audiobend/macro/17", (0.5,), 404, "did you mean '/audiobend/macro/16'?"),
        ("/audiobend/macro/0", (0.5,), 404, "did you mean '/audiobend/macro/1'?"),
        (M, (1.5,), 400, "value must be in 0..1"),
        (f"{M}/bind", ("fog/radios",), 409, "did you mean 'radius'?"),
        (f"{M}/bind", ("layer/2/all/rotat/angle",), 400, "did you mean '/audiobend/layer/2/all/rotate'?"),
        (f"{M}/bind", ("mix", 1), 409, "a range has two ends"),
        (f"{M}/bind", ("scene/count",), 409, "there is no bend 'scene'"),
        (f"{M}/bind", (3.5,), 400, "must be a name"),
        (f"{M}/unbind", ("fog/radius",), 409, "bound to nothing"),
    ],
)
def test_what_cannot_be_is_told_with_what_would_be_right(talk, desk, address, args, code, sentence):
    before = desk.state
    ((told, (of, number, text)),) = talk(address, *args)
    assert (told, of, number) == ("/audiobend/fail", address, code) and sentence in text
    assert desk.state is before
