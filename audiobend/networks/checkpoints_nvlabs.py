"""Checkpoints of stylegan2-ada-pytorch and stylegan3 that hold StyleGAN2 networks.

Every module in such a file brings the source text of its class, to be run on loading. Here the text is a view that
nobody reads; modules are their tensors and submodules, by name.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from audiobend.errors import ModelError
from audiobend.networks.checkpoints_rosinality import Parts, check_filter, complete
from audiobend.networks.checkpoints_tensors import as_mapping, tensor
from audiobend.networks.pickle_machine import Made, damaged

PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
MAX_MODULES = 2000
MAX_DEPTH = 12


def from_nvlabs(generator: Any) -> Parts:
    """Return sizes, weights and mean style of a pickled generator; `ModelError` where it is another network."""
    modules = dict(_modules(generator))
    names = set(modules)
    if "synthesis.input" in names or any(name.startswith("synthesis.L0") for name in names):
        raise ModelError("this is a StyleGAN3 network; only those of StyleGAN2 can be read")
    if "mapping" not in names or not any(name.startswith("synthesis.b") for name in names):
        raise ModelError("this is no StyleGAN2 generator: it has no mapping network or no synthesis blocks")
    sides = sorted(int(name[11:]) for name in names if name.startswith("synthesis.b") and name[11:].isdigit())
    state: dict[str, Tensor] = {}
    for block, side in enumerate(sides[:32]):
        state |= _block(modules, f"synthesis.b{side}", block)
    state |= _mapping(modules)
    return complete(state, _tensor(modules["mapping"], "w_avg"))


def _modules(root: Any) -> Iterator[tuple[str, dict[Any, Any]]]:
    """All modules by dotted path, each as the mapping that was to become its attributes."""
    waiting = [("", root, 0)]
    for count in range(MAX_MODULES):
        if not waiting:
            return
        path, node, depth = waiting.pop()
        attributes = _attributes(node)
        if count == 0 and not attributes:
            raise ModelError("this is no StyleGAN2 generator, nor any network")
        yield path, attributes
        for name, child in as_mapping(attributes.get("_modules")).items():
            if child is not None and depth < MAX_DEPTH:
                waiting.append((f"{path}.{name}" if path else str(name), child, depth + 1))
    raise damaged(f"its network has more than {MAX_MODULES} parts")


def _attributes(node: Any) -> dict[Any, Any]:
    if not isinstance(node, Made):
        return {}
    if node.maker != PERSISTENT:
        return as_mapping(node)
    meta = as_mapping(node.args[0]) if node.args else {}
    return as_mapping(meta.get("state"))


def _tensor(attributes: dict[Any, Any], name: str) -> Tensor | None:
    for group in ("_parameters", "_buffers"):
        found = tensor(as_mapping(attributes.get(group)).get(name))
        if found is not None:
            return found
    return None


def _block(modules: dict[str, dict[Any, Any]], path: str, block: int) -> dict[str, Tensor]:
    attributes = modules[path]
    style = attributes.get("architecture", "skip")
    if style != "skip":
        raise ModelError(f"this network's architecture is {str(style)[:20]!r}; only 'skip', the usual one, can be read")
    check_filter(_tensor(attributes, "resample_filter"))
    state: dict[str, Tensor] = {}
    constant = _tensor(attributes, "const")
    if block == 0 and constant is not None and constant.dim() == 3:
        state["input.input"] = constant[None]
    places = {0: {"conv1": "conv1"}}.get(block, {"conv0": f"convs.{2 * block - 2}", "conv1": f"convs.{2 * block - 1}"})
    for theirs, ours in places.items():
        layer = 0 if block == 0 else int(ours.removeprefix("convs.")) + 1
        state |= _convolution(modules, f"{path}.{theirs}", ours, layer)
    ours = "to_rgb1" if block == 0 else f"to_rgbs.{block - 1}"
    return state | _colours(modules, f"{path}.torgb", ours)


def _convolution(modules: dict[str, dict[Any, Any]], path: str, ours: str, layer: int) -> dict[str, Tensor]:
    attributes = modules.get(path, {})
    activation = attributes.get("activation", "lrelu")
    if activation != "lrelu":
        raise ModelError(f"this network's activation is {str(activation)[:20]!r}; only 'lrelu' can be read")
    state = _modulated(modules, path, ours)
    strength, noise = _tensor(attributes, "noise_strength"), _tensor(attributes, "noise_const")
    state |= _named(f"{ours}.activate.bias", _tensor(attributes, "bias"))
    if strength is not None:
        state[f"{ours}.noise.weight"] = strength.reshape(-1)
    elif not attributes.get("use_noise", True):
        state[f"{ours}.noise.weight"] = next(iter(state.values())).new_zeros(1)
    return state | ({} if noise is None else {f"noises.noise_{layer}": noise[None, None]})


def _colours(modules: dict[str, dict[Any, Any]], path: str, ours: str) -> dict[str, Tensor]:
    bias = _tensor(modules.get(path, {}), "bias")
    state = _modulated(modules, path, ours)
    return state if bias is None else {**state, f"{ours}.bias": bias.reshape(1, -1, 1, 1)}


def _modulated(modules: dict[str, dict[Any, Any]], path: str, ours: str) -> dict[str, Tensor]:
    affine = modules.get(f"{path}.affine", {})
    return {
        **_named(f"{ours}.conv.weight", _tensor(modules.get(path, {}), "weight")),
        **_named(f"{ours}.conv.modulation.weight", _tensor(affine, "weight")),
        **_named(f"{ours}.conv.modulation.bias", _tensor(affine, "bias")),
    }


def _mapping(modules: dict[str, dict[Any, Any]]) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for kind in ("weight", "bias"):
        state |= _named(f"embed.{kind}", _tensor(modules.get("mapping.embed", {}), kind))
        for index in range(64):
            state |= _named(f"style.{index + 1}.{kind}", _tensor(modules.get(f"mapping.fc{index}", {}), kind))
    return state


def _named(name: str, value: Tensor | None) -> dict[str, Tensor]:
    return {} if value is None else {name: value}
