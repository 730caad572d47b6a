"""Checkpoints become the same network whatever file they come in, nothing in them is run, and damage is told."""

import os
import pickle
import random
import struct
import warnings
from pathlib import Path

import pytest
import torch

from audiobend.errors import AudiobendError, ModelError
from audiobend.networks.checkpoints import read_checkpoint
from audiobend.networks.pickle_machine import MAX_DEPTH
from audiobend.networks.pickles import read_pickle
from tests.networks.checkpoint_files import (
    SOURCE,
    mean_of,
    nvlabs,
    rosinality,
    small_network,
    tensorflow,
)

HERE = Path(__file__).parent
FORMATS = {
    "zip": lambda network: rosinality(network),
    "legacy": lambda network: rosinality(network, zipped=False),
    "nvlabs": lambda network: nvlabs(network),
    "nvlabs, protocol 2": lambda network: nvlabs(network, protocol=2),
    "tensorflow": lambda network: tensorflow(network),
    "tensorflow, protocol 2": lambda network: tensorflow(network, protocol=2),
}


def read(data: bytes):
    return read_checkpoint(memoryview(data))


def everything(module: str, name: str) -> bool:
    return True


def sentence(data: bytes) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(ModelError) as caught:
        read(data).network()
    text = str(caught.value)
    assert "\n" not in text and len(text) < 400
    return text


# The same network from every file


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("sizes", [{}, {"base": (3, 5)}, {"features": (4, 3)}, {"n_mapping": 5, "n_latent": 8}])
def test_the_same_weights_paint_the_same_picture_from_every_format(format, sizes):
    if "tensorflow" in format and "base" in sizes:
        pytest.skip("the first StyleGAN2 knows square pictures only")
    network = small_network(**sizes)
    found = read(FORMATS[format](network))
    again = found.network()
    assert found.architecture == network.architecture
    torch.testing.assert_close(found.mean, mean_of(network))
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, atol=1e-6, rtol=0)    # TensorFlow's 1 is added
    z = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(again(z), network(z), atol=1e-5, rtol=1e-5)


def test_tensors_are_read_as_torch_reads_them():
    path = HERE / "golden_rosinality64.pt"
    ours, theirs = read(path.read_bytes()), torch.load(path, weights_only=True)
    for name, value in ours.state.items():
        other = theirs["g_ema"][name]
        assert torch.equal(value, other[0] if other.dim() == 5 else other)
    assert torch.equal(ours.mean, theirs["latent_avg"])


def test_classes_come_along():
    network = small_network(n_classes=3)
    found = read(rosinality(network))
    assert found.architecture.n_classes == 3
    labels = torch.tensor([2])
    with torch.no_grad():
        w = found.network().mapping(torch.ones(1, 8), labels)
        torch.testing.assert_close(w, network.mapping(torch.ones(1, 8), labels))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read(dtype):
    network = small_network()
    found = read(rosinality(network, g_ema={k: v.to(dtype) for k, v in network.state_dict().items()}))
    assert all(value.dtype == torch.float32 for value in found.state.values())
    torch.testing.assert_close(found.state["input.input"], network.input.input.to(dtype).float())


def test_a_bare_state_and_one_of_several_processors_are_read():
    network = small_network()
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    assert read(rosinality(network, g_ema=state)).architecture == network.architecture


def test_noise_that_a_file_lacks_is_drawn_always_the_same():
    network = small_network()
    state = {name: value for name, value in network.state_dict().items() if not name.startswith("noises")}
    first, second = (read(rosinality(network, g_ema=state)) for _ in range(2))
    assert torch.equal(first.state["noises.noise_3"], second.state["noises.noise_3"])


def test_a_missing_mean_is_none():
    assert read(rosinality(small_network(), latent_avg=None)).mean is None


# Nothing is run


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path, way: str) -> None:
        self.path, self.way = path, way

    def __reduce__(self):
        code = f"open({str(self.path)!r}, 'w').close()"
        touch = (os.system, (f"touch {self.path}",))
        ways = {"exec": (exec, (code,)), "eval": (eval, (code,)), "system": touch, "import": (__import__, ("os",))}
        return ways[self.way]


@pytest.mark.parametrize("way", ["exec", "eval", "system", "import"])
@pytest.mark.parametrize("place", ["outer", "inner", "zip", "legacy"])
def test_a_planted_payload_is_refused_by_name_and_not_run(tmp_path, way, place):
    trace, network = tmp_path / "trace", small_network()
    payload = Payload(trace, way)
    data = {
        "outer": lambda: pickle.dumps({"G_ema": payload}),
        "inner": lambda: nvlabs(network, planted=payload),
        "zip": lambda: rosinality(network, extra=payload),
        "legacy": lambda: rosinality(network, zipped=False, extra=payload),
    }[place]()
    name = {"exec": "builtins.exec", "eval": "builtins.eval", "system": "posix.system", "import": "builtins.__import__"}
    assert f"asks to run '{name[way]}'" in sentence(data).replace("__builtin__.", "builtins.").replace("nt.", "posix.")
    assert not trace.exists()
    pickle.loads(pickle.dumps(payload))    # it would have run
    assert trace.exists() or way == "import"


def test_source_text_inside_a_checkpoint_is_never_run(tmp_path):
    trace = tmp_path / "trace"
    planted = f"open({str(trace)!r}, 'w').close()\n{SOURCE}"
    network = small_network()
    for data in (nvlabs(network, source=planted), (HERE / "golden_ada64.pkl").read_bytes()):
        assert read(data).network()
    assert not trace.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "getattr"), ("torch", "load"), ("torch.hub", "load"), ("numpy", "load"),
     ("torch.nn.modules.module", "_global"), ("torch.nn.modules.x", "a.b"), ("pickle", "loads"), ("collections", "os")],
)    # fmt: skip
def test_only_known_names_may_stand_in_a_checkpoint(module, name):
    data = b"\x80\x04" + b"".join(b"\x8c" + bytes([len(x)]) + x.encode() for x in (module, name)) + b"\x93)R."
    assert f"asks to run '{module}.{name}'" in sentence(data)


# Damage


def test_other_networks_are_named():
    network = small_network()
    assert "StyleGAN1" in sentence(tensorflow(network, function="G_style"))
    assert "StyleGAN1" in sentence(rosinality(network, g_running={}))
    renamed = nvlabs(network).replace(b"\x8c\x02b4", b"\x8c\x02L0").replace(b"\x8c\x02b8", b"\x8c\x02L1")
    assert "StyleGAN3" in sentence(renamed)
    assert "architecture is 'resnet'" in sentence(nvlabs(network, architecture="resnet"))
    assert "another filter" in sentence(nvlabs(network, resample_filter=torch.ones(4, 4)))
    assert "has state" in sentence(rosinality(network, g_ema=None, latent_avg=None, args=None, state={}))
    assert "neither a .pt nor a .pkl" in sentence(b"GIF89a")
    assert "safetensors" in sentence(struct.pack("<Q", 2) + b'{"a')


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("convs.1.conv.weight", lambda x: None, "has no 'convs.1.conv.weight'"),
        ("convs.1.conv.weight", lambda x: x[:1], "must be of the size"),
        ("conv1.activate.bias", lambda x: x * float("nan"), "holds what is no number"),
        ("noises.noise_4", lambda x: x[..., :8], "'noises.noise_4' must be of the size"),
        ("style.2.weight", lambda x: None, "has no 'style.2.weight'|must be of the size|'style.2"),
        ("input.input", lambda x: None, "no constant"),
        ("input.input", lambda x: x[..., :0], "needs two sizes or more"),
    ],
)
def test_weights_that_do_not_fit_are_named(name, change, expected):
    network = small_network()
    state = {key: value for key, value in network.state_dict().items() if key != name}
    changed = change(network.state_dict()[name])
    data = rosinality(network, g_ema=state if changed is None else {**state, name: changed})
    if name == "style.2.weight":    # one layer less is a network, too
        assert read(data).architecture.n_mapping == 1
        return
    assert expected.split("|")[0] in sentence(data)


def test_a_tensor_larger_than_its_numbers_is_refused():
    data = rosinality(small_network(), zipped=True)
    at = data.index(b"latent_avg")
    assert "larger than its numbers" in sentence(data[:at] + data[at:].replace(b"K\x08\x85", b"K\x09\x85", 1))


@pytest.mark.parametrize(
    "data",
    [
        b"(" * 100_000,
        b"\x80\x04" + b")" + b"\x85" * 300_000 + b".",
        b"\x80\x04]" + b"2a" * 200_000 + b".",
        b"\x80\x04" + b"2" * 10,
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x",
        b"\x80\x04\x96" + struct.pack("<Q", 2**62) + b"x",
        b"\x80\x04\x8b" + struct.pack("<i", -5) + b"x",
        b"\x80\x04)r" + struct.pack("<I", 2**32 - 1) + b".",
        b"\x80\x04I" + b"9" * 3000 + b"\n.",
        b"\x80\x04" + b"}))s.",
        b"\x80\x04" + b"0" * 50,
        b"\x80\x04}" + b")" * 2000 + b"\x85" * 5000 + b"Ns.",
    ],
)
def test_hostile_pickles_neither_crash_nor_hang(data):
    sentence(data)


def test_nesting_has_a_limit():
    shallow, deep = (b"\x80\x04" + b"(" * n + b"t" * n + b"." for n in (MAX_DEPTH, MAX_DEPTH + 1))
    read_pickle(memoryview(shallow), everything)
    with pytest.raises(ModelError, match="nested more than 500 deep"):
        read_pickle(memoryview(deep), everything)


def test_plain_pickles_are_read_as_python_reads_them():
    value = {"a": [1, -7, 2.5, None, True, 2**70, "ü"], 3: ("x", (1, 2)), "long": list(range(3000)), "e": [{}, [], ()]}
    for protocol in range(6):
        assert read_pickle(memoryview(pickle.dumps(value, protocol)), everything)[0] == value


@pytest.mark.parametrize("n", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damaged_files_are_each_refused_in_a_sentence_or_read(n):
    files, chance, refused = [make(small_network()) for make in FORMATS.values()], random.Random(20), 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(n):
            data = damaged(bytearray(chance.choice(files)), chance)
            try:
                read(data).network()
            except AudiobendError as error:
                refused += 1
                assert str(error) and "\n" not in str(error) and len(str(error)) < 400
    assert refused > 0.8 * n


def damaged(data: bytearray, chance: random.Random) -> bytes:
    """Bytes changed, cut out, put in, doubled; half of the time near the beginning, where the structure is."""
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        if not data:
            break
        at = chance.randrange(len(data)) if chance.random() < 0.5 else min(len(data) - 1, chance.randrange(2000))
        kind = chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            data[at : at + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(9))
        elif kind == 2:
            data = data[: max(1, at)]
        else:
            start = chance.randrange(len(data) - 1) if len(data) > 1 else 0
            data[at:at] = data[start : start + chance.randrange(50)]
    return bytes(data)
