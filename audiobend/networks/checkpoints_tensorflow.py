"""Checkpoints of the first StyleGAN2, of TensorFlow: networks as lists of variables, beside source text nobody reads.

Kernels lie there as ``(height, width, in, out)``, those of upsampling convolutions turned by half a turn; the bias of
a style is stored without the 1 that its code adds.
"""

import re
from typing import Any

from torch import Tensor

from audiobend.errors import ModelError
from audiobend.networks.checkpoints_rosinality import Parts, complete
from audiobend.networks.checkpoints_tensors import as_mapping, tensor
from audiobend.networks.pickle_machine import Made

NETWORKS = ("dnnlib.tflib.network.Network", "dnnlib.tflib.Network", "tfutil.Network", "network.Network")
MAX_VARIABLES = 4000
_PLACE = re.compile(r"(\d{1,4})x\d{1,4}/(Const|Conv|Conv0_up|Conv1|ToRGB)/(\w+)")
_DENSE = re.compile(r"Dense(\d{1,2})/(weight|bias)")


def networks_in(value: Any) -> list[Made]:
    """Return the networks of TensorFlow that a pickle holds; in NVIDIA's files generator, discriminator, average."""
    values = list(value) if isinstance(value, tuple | list) else [value]
    return [one for one in values[:16] if isinstance(one, Made) and (_maker(one) in NETWORKS)]


def _maker(one: Made) -> str:
    # Old protocols write copyreg._reconstructor(class, object, None).
    return str(one.args[0]) if one.maker.endswith("._reconstructor") and one.args else one.maker


def from_tensorflow(networks: list[Made]) -> Parts:
    """Return sizes, weights and mean style of the averaged generator; `ModelError` where it is another network."""
    generator = as_mapping(networks[-1].state)
    components = as_mapping(generator.get("components"))
    own = _variables(generator)
    parts = {name: _variables(as_mapping(getattr(one, "state", None))) for name, one in components.items()}
    synthesis, mapping = parts.get("synthesis", {}), parts.get("mapping", {})
    if str(generator.get("build_func_name")) == "G_style" or any("StyleMod" in name for name in synthesis):
        raise ModelError("this is a StyleGAN1 network; only those of StyleGAN2 can be read")
    if not any(name.endswith("ToRGB/mod_weight") for name in synthesis) or not mapping:
        raise ModelError("this TensorFlow file holds no StyleGAN2 generator of the usual kind ('skip')")
    state: dict[str, Tensor] = {}
    for name, value in synthesis.items():
        state |= _of_synthesis(name, value)
    for name, value in mapping.items():
        if (found := _DENSE.fullmatch(name)) and (numbers := tensor(value)) is not None:
            state[f"style.{int(found[1]) + 1}.{found[2]}"] = numbers.t().contiguous()
    return complete(state, tensor(own.get("dlatent_avg")))


def _variables(network: dict[Any, Any]) -> dict[str, Any]:
    listed = network.get("variables")
    if not isinstance(listed, list):
        return {}
    pairs = [one for one in listed[:MAX_VARIABLES] if isinstance(one, tuple | list) and len(one) == 2]
    return {str(name): value for name, value in pairs if isinstance(name, str)}


def _of_synthesis(name: str, value: Any) -> dict[str, Tensor]:
    numbers = tensor(value)
    if numbers is None:
        return {}
    if name.startswith("noise") and name[5:].isdigit():
        return {f"noises.{name[:5]}_{int(name[5:8])}": numbers}
    place = _PLACE.fullmatch(name)
    if place is None:
        return {}
    size, kind, what = int(place[1]), place[2], place[3]
    block = size.bit_length() - 3
    if kind == "Const":
        return {"input.input": numbers}
    if kind == "ToRGB":
        ours = "to_rgb1" if block == 0 else f"to_rgbs.{block - 1}"
    else:
        ours = "conv1" if kind == "Conv" else f"convs.{2 * block - 1 - (kind == 'Conv0_up')}"
    return _converted(ours, kind, what, numbers)


def _converted(ours: str, kind: str, what: str, numbers: Tensor) -> dict[str, Tensor]:
    if what == "weight" and numbers.dim() == 4:
        kernels = numbers.permute(3, 2, 0, 1)
        return {f"{ours}.conv.weight": (kernels.flip(2, 3) if kind == "Conv0_up" else kernels).contiguous()}
    if what == "mod_weight":
        return {f"{ours}.conv.modulation.weight": numbers.t().contiguous()}
    if what == "mod_bias":
        return {f"{ours}.conv.modulation.bias": numbers + 1}
    if what == "noise_strength":
        return {f"{ours}.noise.weight": numbers.reshape(-1)}
    if what == "bias":
        return {f"{ours}.bias": numbers.reshape(1, -1, 1, 1)} if kind == "ToRGB" else {f"{ours}.activate.bias": numbers}
    return {}
