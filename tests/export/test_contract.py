"""Files read as nn~ reads them, and files that nn~ could not use."""

import json

import pytest
import torch

from audiobend.bending import Patch
from audiobend.export.contract import ContractError, check_contract, read_contract
from audiobend.export.exporting import plan_export, write_torchscript
from audiobend.export.nn_tilde import FACTS, RESET


@pytest.fixture(scope="module")
def files(tiny_model, fog, tmp_path_factory):
    """Exports of every latency, mono and stereo, with everything to turn and with nothing."""
    folder, made = tmp_path_factory.mktemp("files"), {}
    jobs = {
        "low": (fog, {"profile": "low", "n_channels": 2}),
        "balanced": (fog, {}),
        "rtisi": (fog, {"phase": "rtisi", "controls": "fog/radius"}),
        "unbent": (Patch(), {"controls": ""}),
    }
    for name, (patch, options) in jobs.items():
        made[name] = folder / f"{name}.ts"
        write_torchscript(plan_export(tiny_model, patch, "nn~", **options), made[name])
    return made


@pytest.mark.parametrize("name", ["low", "balanced", "rtisi", "unbent"])
def test_every_export_keeps_the_contract(files, name):
    found = check_contract(torch.jit.load(str(files[name])))
    n = 2 if name == "low" else 1
    ratio = 1024 if name == "low" else 2048
    methods = {one.name: (one.in_channels, one.in_ratio, one.out_channels, one.out_ratio) for one in found.methods}
    assert methods == {"forward": (n, 1, n, 1), "encode": (n, 1, 16, ratio), "decode": (16, ratio, n, 1)}
    assert found.ratio == ratio


def test_attributes_have_types_and_the_values_of_the_patch(files):
    contract = read_contract(torch.jit.load(str(files["balanced"])))
    found = {one.name: (one.types, one.values) for one in contract.attributes}
    assert found == {
        "fog_on": ((int,), (1,)),
        "fog_mix": ((float,), (0.8,)),
        "fog_radius": ((int,), (1,)),
        "dust_on": ((int,), (1,)),
        "dust_mix": ((float,), (1.0,)),
        "dust_factor": ((float,), (1.5,)),
        "output_mix": ((float,), (1.0,)),
        "output_detail": ((float,), (0.3,)),
        "output_gain_db": ((float,), (0.0,)),
        RESET: ((int,), (0,)),
    }


def test_chosen_controls_are_the_only_attributes(files):
    names = [one.name for one in read_contract(torch.jit.load(str(files["rtisi"]))).attributes]
    assert names == ["fog_radius", RESET]
    assert [one.name for one in read_contract(torch.jit.load(str(files["unbent"]))).attributes] == [RESET]


def test_values_beyond_a_range_come_to_rest_at_its_end_and_what_is_no_number_is_refused(files):
    module = torch.jit.load(str(files["balanced"]))
    assert (module.set_fog_radius(99), module.get_fog_radius()) == (0, (32,))
    assert (module.set_fog_mix(-3.0), module.get_fog_mix()) == (0, (0.0,))
    assert (module.set_fog_mix(float("nan")), module.get_fog_mix()) == (-1, (0.0,))


def test_two_files_of_one_process_do_not_share_their_attributes(tiny_model, fog, tmp_path):
    for name, patch in (("a", fog), ("b", fog.add(1, "ablate", id="first"))):
        write_torchscript(plan_export(tiny_model, patch, "nn~", controls="fog/radius"), tmp_path / f"{name}.ts")
    a, b = (torch.jit.load(str(tmp_path / f"{name}.ts")) for name in "ab")
    a.set_fog_radius(5)
    b.set_fog_radius(7)
    assert (a.get_fog_radius(), b.get_fog_radius()) == ((5,), (7,))


def test_a_file_says_what_it_is(files, tiny_model):
    extra = {FACTS: ""}
    torch.jit.load(str(files["low"]), _extra_files=extra)
    facts = json.loads(extra[FACTS])
    assert (facts["model"], facts["patch"], facts["sample_rate"], facts["channels"]) == ("tiny", "low tide", 44100, 2)
    assert facts["latency"] == sum(facts["latency_parts"].values())
    assert facts["controls"][0] == {
        "target": "fog/on", "attribute": "fog_on", "low": 0, "high": 1, "value": 1.0, "unit": "", "whole": True
    }    # fmt: skip


class Good(torch.nn.Module):
    """The least that nn~ can use."""

    def __init__(self):
        super().__init__()
        self.amount = 1.0
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.register_buffer("amount_params", torch.tensor([2]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.amount

    @torch.jit.export
    def get_methods(self) -> list[str]:
        return ["forward"]

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        return ["amount"]

    @torch.jit.export
    def get_amount(self) -> tuple[float]:
        return (self.amount,)

    @torch.jit.export
    def set_amount(self, value: float) -> int:
        self.amount = value
        return 0


class WrongLength(Good):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[..., 1:]


class WrongType(Good):
    def __init__(self):
        super().__init__()
        self.amount_params = torch.tensor([1])


class Deaf(Good):
    @torch.jit.export
    def set_amount(self, value: float) -> int:
        return -1


class NoRatio(Good):
    def __init__(self):
        super().__init__()
        self.forward_params = torch.tensor([1, 0, 1, 1])


class Odd(Good):
    def __init__(self):
        super().__init__()
        self.forward_params = torch.tensor([1, 3, 1, 3])


class Nameless(Good):
    @torch.jit.export
    def get_methods(self) -> list[str]:
        return ["other"]


def test_the_checker_takes_what_is_right():
    assert check_contract(torch.jit.script(Good())).attributes[0].values == (1.0,)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (WrongLength, "must return float32"),
        (WrongType, "must return"),
        (Deaf, "must return 0"),
        (NoRatio, "four numbers above 0"),
        (Odd, "powers of two"),
        (Nameless, "no method forward"),
        (torch.nn.Identity, "no method get_methods"),
    ],
)
def test_the_checker_finds_what_is_wrong(kind, words):
    with pytest.raises(ContractError, match=words):
        check_contract(torch.jit.script(kind()))
