"""Generators out of the files that people have: converted ``.pt`` checkpoints and NVIDIA's ``.pkl``, nothing run.

``.pt`` as rosinality's PyTorch port saves and converts them, in both of torch's file formats; ``.pkl`` of
stylegan2-ada-pytorch and of stylegan3 (for its StyleGAN2 networks), which carry Python source that is never looked at,
and of the first, TensorFlow StyleGAN2. All become one `StyleGAN2` with the parameter names of the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from audiobend.errors import ModelError
from audiobend.networks.checkpoints_files import LEGACY_MAGIC, ZIP_MAGIC, allowed, read_legacy, read_zip
from audiobend.networks.checkpoints_nvlabs import from_nvlabs
from audiobend.networks.checkpoints_rosinality import from_rosinality, is_state
from audiobend.networks.checkpoints_tensorflow import from_tensorflow, networks_in
from audiobend.networks.checkpoints_tensors import as_mapping
from audiobend.networks.pickles import read_pickle
from audiobend.networks.stylegan2 import Architecture, StyleGAN2

MEAN = "latent_avg"


@dataclass(frozen=True)
class Checkpoint:
    """A generator that was read.

    Attributes
    ----------
    format : str
        ``"rosinality"``, ``"nvlabs"`` or ``"tensorflow"``.
    architecture : Architecture
    state : mapping from parameter name to Tensor
    mean : Tensor of shape ``(style,)`` or None
        The mean style, which truncation goes towards.
    """

    format: str
    architecture: Architecture
    state: Mapping[str, Tensor]
    mean: Tensor | None

    def network(self) -> StyleGAN2:
        """Return the generator in evaluation mode; `ModelError` where weights and sizes do not fit."""
        return filled(self.architecture, self.state)


def read_checkpoint(data: memoryview) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    data : memoryview of bytes
        The whole file; only the generator's numbers are copied out of it.

    Raises
    ------
    ModelError
        One sentence: what kind of file this is instead, what it wanted to run, or that it is damaged.
    """
    if bytes(data[:4]) == ZIP_MAGIC:
        return _from_torch(read_zip(data))
    if bytes(data[8:10]) == b'{"':
        raise ModelError("this is a safetensors file; give the folder that holds it and its model.yaml")
    if not len(data) or data[0] not in b"\x80}](cI":
        raise ModelError("this is no file of a network: neither a .pt nor a .pkl")
    value, _ = read_pickle(data, allowed)
    if value == LEGACY_MAGIC:
        return _from_torch(read_legacy(data))
    networks = networks_in(value)
    if networks:
        return Checkpoint("tensorflow", *from_tensorflow(networks))
    content = as_mapping(value)
    if "G_ema" in content or "G" in content:
        return Checkpoint("nvlabs", *from_nvlabs(content.get("G_ema", content.get("G"))))
    raise _unknown(content)


def _from_torch(value: Any) -> Checkpoint:
    content = as_mapping(value)
    if "g_running" in content or "generator" in content or any(str(key).startswith("g_mapping.") for key in content):
        raise ModelError("this is a StyleGAN1 network; only those of StyleGAN2 can be read")
    for key in ("g_ema", "g"):
        if key in content:
            return Checkpoint("rosinality", *from_rosinality(as_mapping(content[key]), content.get(MEAN)))
    if is_state(content):
        return Checkpoint("rosinality", *from_rosinality(content, content.get(MEAN)))
    raise _unknown(content)


def _unknown(content: Mapping[Any, Any]) -> ModelError:
    names = ", ".join(str(key)[:40] for key in list(content)[:6])
    rule = "needs a generator under 'g_ema' (.pt) or 'G_ema' (.pkl)"
    return ModelError(f"this is no StyleGAN2 checkpoint: it {rule}, and has {names or 'no entries'}")


def filled(architecture: Architecture, state: Mapping[str, Tensor]) -> StyleGAN2:
    """Return a generator with these weights, in evaluation mode.

    Raises
    ------
    ModelError
        If weights are missing, of another size, or no numbers.
    """
    with torch.device("meta"):
        network = StyleGAN2(architecture)
    expected = network.state_dict()
    for name, value in expected.items():
        if name not in state:
            raise ModelError(f"the generator has no '{name}', which one of {architecture.size} pixels needs")
        if state[name].shape != value.shape:
            sizes = f"{tuple(value.shape)}, got {tuple(state[name].shape)}"
            raise ModelError(f"'{name}' must be of the size {sizes}")
        if not bool(state[name].isfinite().all()):
            raise ModelError(f"'{name}' holds what is no number")
    try:
        network.load_state_dict({name: state[name] for name in expected}, assign=True)
    except RuntimeError as error:
        raise ModelError("the weights do not fit the generator") from error
    return network.eval().requires_grad_(False)


