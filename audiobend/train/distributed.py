"""The processes that train one model together: one per device, on one machine or on several.

Lightning Fabric starts them and averages their gradients. What is needed besides, so that several processes learn what
one would: batch norm over all windows of a step, and one clock for all.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from audiobend.errors import AudiobendError, TrainingError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Result = TypeVar("Result")
PRECISIONS = ("auto", "32", "bf16")
TIMEOUT_HOURS = 4.0
"""How long the others wait for the first process, which alone evaluates and writes."""


@dataclass(frozen=True)
class Team:
    """This process among all that train together.

    Attributes
    ----------
    fabric : Fabric
    n_nodes : int > 0
        Machines.
    planned : int > 0
        Number of processes that there will be when Fabric has started them.
    started_from_outside : bool
        Whether something else, such as torchrun, starts the processes and starts them again.
    """

    fabric: "Fabric"
    n_nodes: int = 1
    planned: int = 1
    started_from_outside: bool = False

    @property
    def rank(self) -> int:
        """Number of this process, 0..size-1."""
        return int(self.fabric.global_rank)

    @property
    def size(self) -> int:
        """Number of processes on all machines."""
        return int(self.fabric.world_size)

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes, evaluates and speaks."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return self.fabric.device

    def check_batch(self, batch_size: int) -> None:
        """Refuse a batch that the processes cannot share evenly."""
        if batch_size % self.planned:
            nearest = max(1, round(batch_size / self.planned)) * self.planned
            raise TrainingError(
                f"{self.planned} processes cannot share batches of {batch_size} windows evenly; "
                f"try --batch-size {nearest}"
            )

    def share(self, value: Any) -> Any:
        """Return the first process's value in all of them."""
        return self.fabric.broadcast(value, src=0) if self.size > 1 else value

    def agree(self, numbers: list[float]) -> list[float]:
        """Return the first process's numbers in all of them, quickly."""
        if self.size == 1:
            return numbers
        tensor = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.broadcast(tensor, src=0)
        return [float(number) for number in tensor.tolist()]

    def first(self, act: Callable[[], Result]) -> Result | None:
        """Let the first process act while the others wait; where it fails with a sentence, all of them do."""
        result, problem = None, None
        if self.leads:
            try:
                result = act()
            except AudiobendError as error:
                problem = error
        sentence = self.share(str(problem) if problem else "")
        if sentence:
            raise problem or TrainingError(sentence)
        return result

    def leave(self) -> None:
        """End the conversation between the processes; first `Trainer.close` whatever trained."""
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of a tensor over all processes."""
        return mean_over_all(x) if self.size > 1 else x

    def joined(self, module: nn.Module) -> Any:
        """Put a module on this process's device; its gradients become the mean over all processes."""
        return self.fabric.setup_module(module)


def make_team(devices: str = "auto", nodes: int = 1, precision: str = "32") -> Team:
    """Choose devices; `Team.fabric.launch` then starts the other processes, by running the same command.

    Parameters
    ----------
    devices : str
        "auto" (all GPUs, else the processor), "cpu", "cpu:2" (two processes on the processor), a number of GPUs (of
        processes on the processor where there is no GPU), or GPUs by number: "cuda:0", "cuda:0,2".
    nodes : int > 0
        Machines. Started on each with MASTER_ADDR, MASTER_PORT and NODE_RANK set, or by torchrun, which sets
        everything, this number included.
    precision : "32" or "bf16"
        Of the network's multiplications; weights, losses and optimisers always have 32 bits.
    """
    from datetime import timedelta

    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)    # it greets at length
    accelerator, chosen = _devices(devices)
    outside = distributed.is_torchelastic_launched() or "LOCAL_RANK" in os.environ
    if distributed.is_torchelastic_launched():
        chosen = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // chosen
    count = chosen if isinstance(chosen, int) else len(chosen)
    if accelerator == "cuda":
        torch.set_float32_matmul_precision("high")
    together = DDPStrategy(broadcast_buffers=False, timeout=timedelta(hours=TIMEOUT_HOURS))
    fabric = Fabric(
        accelerator=accelerator,
        devices=chosen,
        num_nodes=nodes,
        strategy=together if count * nodes > 1 else "auto",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    return Team(fabric, nodes, count * nodes, outside)


def alone() -> Team:
    """Return a team of one process on the processor."""
    return make_team("cpu")


def _devices(words: str) -> tuple[str, int | list[int]]:
    """Return Fabric's accelerator and devices."""
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind, _, which = words.partition(":")
    try:
        if words == "auto":
            return ("cuda", n_gpus) if n_gpus else ("cpu", 1)
        if kind == "cpu":
            count = int(which or 1)
        elif kind == "cuda":
            return "cuda", _gpus(words, [int(one) for one in (which or "0").split(",")], n_gpus)
        else:
            count = int(words)
    except ValueError:
        raise TrainingError(f"--devices must be auto, cpu, a number, cpu:2 or cuda:0,1; got {words!r}") from None
    if count < 1:
        raise TrainingError(f"--devices needs 1 or more, got {count}")
    if n_gpus and kind != "cpu":
        return "cuda", _gpus(words, list(range(count)), n_gpus)
    return "cpu", count


def _gpus(words: str, numbers: list[int], n_gpus: int) -> list[int]:
    if any(not 0 <= number < n_gpus for number in numbers) or len(set(numbers)) < len(numbers):
        there = f"there are {n_gpus}, numbered from 0" if n_gpus else "there is none that torch can use; try cpu"
        raise TrainingError(f"--devices {words}: needs that many different GPUs, but {there}")
    return numbers


def choose_precision(wanted: str, devices: str, width: float) -> str:
    """Return "32" or "bf16" for "auto": bf16 where it is the faster one.

    That is on GPUs, on processors with matrix units for it (AMX), and from half of the paper's width on those with
    vector units for it (measured on a processor with AVX-512 BF16: 1.16 times as fast at half width, no gain at a
    quarter).
    """
    if wanted not in PRECISIONS:
        raise TrainingError(f"--precision must be one of {', '.join(PRECISIONS)}, got {wanted!r}")
    if wanted != "auto":
        return wanted
    if _devices(devices)[0] == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "32"
    able = torch.cpu.get_capabilities()
    return "bf16" if able.get("amx_bf16") or (able.get("avx512_bf16") and width >= 0.5) else "32"


def with_shared_statistics(module: nn.Module, team: Team) -> nn.Module:
    """Return the module with batch norm that counts the windows of all processes."""
    if team.size == 1:
        return module
    if team.device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        return converted
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, SharedBatchNorm2d.like(child))
    return module


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose mean and variance are those over all processes, on the processor (torch has it for GPUs only).

    Every process must bring the same number of windows.
    """

    @classmethod
    def like(cls, norm: nn.BatchNorm2d) -> "SharedBatchNorm2d":
        """Return one that owns the same parameters and running statistics."""
        shared = cls(norm.num_features, norm.eps, norm.momentum)
        shared.weight, shared.bias = norm.weight, norm.bias
        shared.running_mean, shared.running_var = norm.running_mean, norm.running_var
        shared.num_batches_tracked = norm.num_batches_tracked
        return shared

    def forward(self, x: Tensor) -> Tensor:
        """Normalise maps ``(batch, feature, height, width)``."""
        if not self.training:
            return super().forward(x)
        wide = x.float()
        mean = mean_over_all(wide.mean((0, 2, 3)))
        centred = wide - mean[:, None, None]
        variance = mean_over_all(centred.square().mean((0, 2, 3)))
        self._remember(mean.detach(), variance.detach(), x.numel() // x.shape[1] * distributed.get_world_size())
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        self.num_batches_tracked.add_(1)


class _MeanOverAll(torch.autograd.Function):
    """The mean over processes; its gradient is the mean of their gradients."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total / distributed.get_world_size()

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total / distributed.get_world_size()


def mean_over_all(x: Tensor) -> Tensor:
    """Return the mean of a tensor over all processes, differentiable."""
    apply: Callable[[Tensor], Tensor] = _MeanOverAll.apply
    return apply(x)
