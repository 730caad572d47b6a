"""Files of generators in every format, written with torch's and Python's own picklers from a network of ours."""

import argparse
import io
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiobend.networks.stylegan2 import Architecture, StyleGAN2

SOURCE = "raise RuntimeError('source text inside a checkpoint was run')\n"


def small_network(seed: int = 0, **sizes: Any) -> StyleGAN2:
    """A generator of 16 pixels, all of whose numbers matter."""
    architecture = Architecture(**{"features": (6, 5, 4), "n_latent": 8, "n_style": 8, "n_mapping": 2, **sizes})
    torch.manual_seed(seed)
    network = StyleGAN2(architecture).eval().requires_grad_(False)
    for name, value in network.named_parameters():
        if name.endswith(("bias", "noise.weight")):
            value.add_(torch.randn_like(value) * 0.1)
    return network


def mean_of(network: StyleGAN2) -> Tensor:
    """Stand-in for a mean style."""
    return torch.linspace(-1, 1, network.architecture.n_style)


def rosinality(network: StyleGAN2, *, zipped: bool = True, **more: Any) -> bytes:
    """As converted or saved by the port: five-dimensional kernels, filters among the weights."""
    state = {name: value[None] if value.dim() == 4 and ".conv.weight" in name else value
             for name, value in network.state_dict().items()}    # fmt: skip
    taps = torch.tensor([1.0, 3, 3, 1])
    state["convs.0.conv.blur.kernel"] = torch.outer(taps, taps) / 16
    whole = {"g_ema": state, "latent_avg": mean_of(network), "args": argparse.Namespace(size=16), **more}
    file = io.BytesIO()
    torch.save({key: value for key, value in whole.items() if value is not None}, file,
               _use_new_zipfile_serialization=zipped)    # fmt: skip
    return file.getvalue()


@contextmanager
def _module(name: str, **things: Any) -> Iterator[None]:
    """Make a module exist for as long as something is pickled."""
    parts = name.split(".")
    names = [".".join(parts[: i + 1]) for i in range(len(parts))]
    made = {one: types.ModuleType(one) for one in names if one not in sys.modules}
    sys.modules.update(made)
    for key, thing in things.items():
        setattr(sys.modules[name], key, thing)
    try:
        yield
    finally:
        for one in made:
            del sys.modules[one]


def _reconstruct_persistent_obj(meta: Any) -> Any:
    raise AssertionError("called")


_reconstruct_persistent_obj.__module__ = "torch_utils.persistence"


class _Persistent:
    """A module as NVIDIA's code pickles it."""

    def __init__(self, name: str, state: dict[str, Any], source: str) -> None:
        self.meta = {"type": "class", "version": 6, "module_src": source, "class_name": name, "state": state}

    def __reduce__(self) -> Any:
        return _reconstruct_persistent_obj, (self.meta,)


def nvlabs(
    network: StyleGAN2, *, source: str = SOURCE, protocol: int = 4, planted: Any = None, **changes: Any
) -> bytes:
    """As stylegan2-ada-pytorch saves it."""
    taps = torch.tensor([1.0, 3, 3, 1])
    kernel = torch.outer(taps, taps) / 64
    own = {name: torch.nn.Parameter(value) for name, value in network.state_dict().items()}

    def module(name: str, parameters: dict[str, Tensor], modules: dict[str, Any] | None = None, **more: Any) -> Any:
        buffers = {key: more.pop(key).detach() for key in ("w_avg", "noise_const", "resample_filter") if key in more}
        state = {"training": False, "_parameters": parameters, "_buffers": buffers, "_modules": modules or {}, **more}
        return _Persistent(name, state, source)

    def affine(path: str) -> Any:
        modulation = f"{path}.conv.modulation"
        return module("FullyConnectedLayer", {kind: own[f"{modulation}.{kind}"] for kind in ("weight", "bias")})

    def layer(path: str, number: int) -> Any:
        numbers = {"weight": own[f"{path}.conv.weight"], "bias": own[f"{path}.activate.bias"],
                   "noise_strength": torch.nn.Parameter(own[f"{path}.noise.weight"][0].detach())}    # fmt: skip
        noise = own[f"noises.noise_{number}"][0, 0]
        return module("SynthesisLayer", numbers, {"affine": affine(path)}, activation="lrelu", noise_const=noise)

    def colours(path: str) -> Any:
        numbers = {"weight": own[f"{path}.conv.weight"], "bias": torch.nn.Parameter(own[f"{path}.bias"].flatten())}
        return module("ToRGBLayer", numbers, {"affine": affine(path)})

    one = network.architecture
    extra = {"architecture": "skip", "resample_filter": kernel, **changes}
    blocks = {}
    for index in range(len(one.features)):
        if index == 0:
            parts = {"conv1": layer("conv1", 0), "torgb": colours("to_rgb1")}
            constant = {"const": torch.nn.Parameter(own["input.input"][0])}
        else:
            first = 2 * index - 2
            parts = {"conv0": layer(f"convs.{first}", first + 1), "conv1": layer(f"convs.{first + 1}", first + 2),
                     "torgb": colours(f"to_rgbs.{index - 1}")}    # fmt: skip
            constant = {}
        blocks[f"b{4 * 2**index}"] = module("SynthesisBlock", constant, parts, **extra)
    kinds = ("weight", "bias")
    dense = {f"fc{i}": module("FullyConnectedLayer", {kind: own[f"style.{i + 1}.{kind}"] for kind in kinds})
             for i in range(one.n_mapping)}    # fmt: skip
    mapping = module("MappingNetwork", {}, dense, w_avg=mean_of(network))
    generator = module("Generator", {}, {"synthesis": module("SynthesisNetwork", {}, blocks), "mapping": mapping})
    with _module("torch_utils.persistence", _reconstruct_persistent_obj=_reconstruct_persistent_obj):
        return pickle.dumps({"G": generator, "D": None, "G_ema": generator, "augment_pipe": planted}, protocol)


class Network:
    """A network as TensorFlow's StyleGAN pickles it."""

    def __init__(self, **state: Any) -> None:
        self.state = state

    def __getstate__(self) -> dict[str, Any]:
        return self.state


Network.__module__ = "dnnlib.tflib.network"


def tensorflow(network: StyleGAN2, *, function: str = "G_main", protocol: int = 4) -> bytes:
    """As the first StyleGAN2 saves it: generator, discriminator, and the averaged generator last."""
    own = {name: value.numpy() for name, value in network.state_dict().items()}

    def convolution(path: str, up: bool) -> list[tuple[str, Any]]:
        kernels = own[f"{path}.conv.weight"]
        kernels = kernels[:, :, ::-1, ::-1] if up else kernels
        found = [("weight", kernels.transpose(2, 3, 1, 0)), ("mod_weight", own[f"{path}.conv.modulation.weight"].T),
                 ("mod_bias", own[f"{path}.conv.modulation.bias"] - 1)]    # fmt: skip
        if f"{path}.noise.weight" in own:
            return [*found, ("noise_strength", own[f"{path}.noise.weight"][0]), ("bias", own[f"{path}.activate.bias"])]
        return [*found, ("bias", own[f"{path}.bias"].reshape(-1))]

    variables = [("4x4/Const/const", own["input.input"])]
    for index in range(len(network.architecture.features)):
        side = 4 * 2**index
        places = {"Conv0_up": f"convs.{2 * index - 2}", "Conv1": f"convs.{2 * index - 1}",
                  "ToRGB": f"to_rgbs.{index - 1}"}    # fmt: skip
        for kind, path in (places if index else {"Conv": "conv1", "ToRGB": "to_rgb1"}).items():
            numbers = convolution(path, kind == "Conv0_up")
            variables += [(f"{side}x{side}/{kind}/{what}", np.ascontiguousarray(value)) for what, value in numbers]
    variables += [(f"noise{i}", own[f"noises.noise_{i}"]) for i in range(network.architecture.n_layers)]
    dense = [(f"Dense{i}/{kind}", np.ascontiguousarray(own[f"style.{i + 1}.{kind}"].T))
             for i in range(network.architecture.n_mapping) for kind in ("weight", "bias")]    # fmt: skip
    parts = {"synthesis": Network(version=4, variables=variables, build_module_src=SOURCE),
             "mapping": Network(version=4, variables=dense, build_module_src=SOURCE)}    # fmt: skip
    average = Network(version=4, name="Gs", build_func_name=function, build_module_src=SOURCE, components=parts,
                      static_kwargs={}, variables=[("dlatent_avg", mean_of(network).numpy())])    # fmt: skip
    with _module("dnnlib.tflib.network", Network=Network):
        return pickle.dumps((Network(version=4), Network(version=4), average), protocol)
