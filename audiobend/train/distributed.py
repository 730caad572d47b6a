"""The processes that train one model together: one per device, on one machine or on several.

Lightning Fabric starts them and averages their gradients. What is needed besides, so that several processes learn what
one would: batch norm over all windows of a step (`batchnorm`), one noise, and one clock for all.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from audiobend.errors import AudiobendError, TrainingError
from audiobend.train.batchnorm import mean_over_all
from audiobend.train.devices import find_devices

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Result = TypeVar("Result")
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
    accelerator, chosen = find_devices(devices)
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
