"""What runs a model's network: the same windows in, the same windows out, by whatever is fastest on this machine."""

import importlib.util
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.errors import ModelError, did_you_mean
from audiobend.networks.model import Model
from audiobend.networks.staged_backend import StagedBackend
from audiobend.networks.stages import ALL_COLUMNS
from audiobend.networks.torch_backend import TorchMachine

BackendName = Literal["torch", "torch-bf16", "openvino", "openvino-bf16"]


class Backend(Protocol):
    """One way to run a model's network, bent and unbent.

    Every backend gives the same sound; how near, in dB, says the page `docs/sound.md`. A backend belongs to one model.
    """

    @property
    def name(self) -> str:
        """One of `BackendName`."""
        ...

    def prepare(self, plan: Plan, columns: slice = ALL_COLUMNS) -> None:
        """Do what is slow (bend kernels, compile) ahead of time, for any thread to call while another reconstructs.

        `reconstruct` with a plan or columns never prepared is right too, but its first call takes as long as this.
        """
        ...

    def reconstruct(
        self,
        x: Tensor,
        plan: Plan,
        times: Tensor | None = None,
        call: int = 0,
        columns: slice = ALL_COLUMNS,
    ) -> tuple[Tensor, Tensor]:
        """Run windows through the network.

        Parameters
        ----------
        x : Tensor of shape ``(batch, 1, 128, 513)``, normalised; never changed
        plan : Plan
            Resolved for this backend's model; bends of encoder, code and decoder, latent operations and bent kernels
            all act.
        times : Tensor of shape ``(batch,)`` or None
            Seconds at the centre of each window, for modulation; None leaves every parameter at its base.
        call : int
            The number of this call, for noise that is fresh every time.
        columns : slice
            Which of the 128 columns (in time) to return; few are much cheaper than all.

        Returns
        -------
        bent, unbent : Tensors of shape ``(batch, 1, column, 513)``, float32
            One and the same where the plan does nothing.

        Bends can make numbers that are not finite.
        """
        ...


def backend(name: BackendName, model: Model, batch: int = 1) -> Backend:
    """Return a backend for a model.

    Parameters
    ----------
    name : "torch", "torch-bf16", "openvino" or "openvino-bf16"
        The ones with ``bf16`` calculate in bfloat16.
    batch : int > 0
        How many windows `reconstruct` will mostly get; other numbers work after a delay.

    Raises
    ------
    ModelError
        If there is no such backend, or it is not installed.
    """
    if name not in get_args(BackendName):
        raise ModelError(f"unknown backend {name!r}{did_you_mean(name, get_args(BackendName))}")
    dtype = torch.bfloat16 if name.endswith("-bf16") else torch.float32
    if name.startswith("torch"):
        return StagedBackend(name, model, lambda network: TorchMachine(network, dtype))
    if not has_openvino():
        raise ModelError(f"backend {name} needs OpenVINO; install it with: pip install 'audiobend[openvino]'")
    from audiobend.networks.openvino_backend import OpenvinoMachine

    return StagedBackend(name, model, lambda network: OpenvinoMachine(network, dtype, batch))


def worth_trying() -> list[BackendName]:
    """Return the backends that may be fast on this machine: installed; bfloat16 needs the instructions for it."""
    names: list[BackendName] = ["torch", "torch-bf16"]
    if has_openvino():
        names += ["openvino", "openvino-bf16"]
    return [name for name in names if not name.endswith("-bf16") or has_bfloat16()]


def has_openvino() -> bool:
    """Return whether OpenVINO is installed, without loading it."""
    return importlib.util.find_spec("openvino") is not None


def has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 numbers; without, they are slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:    # not Linux: leave it to the measurement
        return True
    return "avx512_bf16" in flags or "amx_bf16" in flags or " bf16" in flags
