"""Batch norm over the windows of all processes, so that their number changes nothing."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed, nn


def with_shared_statistics(module: nn.Module, device: torch.device) -> nn.Module:
    """Return the module with batch norm that counts the windows of all processes; it will compute on ``device``."""
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return module
    if device.type == "cuda":
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
