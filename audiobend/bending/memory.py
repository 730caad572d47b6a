"""Fresh memory for big maps."""

import numpy as np
import torch
from torch import Tensor

HUGE_PAGE_BYTES = 1 << 22
"""From this size on numpy asks the operating system for huge pages; torch never does."""

ALLOCATOR_BYTES = 1 << 25
"""From this size on the system's allocator keeps no used memory, and every result is fresh."""


def fresh_like(x: Tensor) -> Tensor:
    """Contiguous memory of the shape, dtype and device of ``x``, not yet written.

    Most of the time of a simple transform on a big map goes into the first touch of its result. In huge pages
    that takes about a quarter of the time.
    """
    n_bytes = x.numel() * x.element_size()
    if x.device.type != "cpu" or n_bytes < HUGE_PAGE_BYTES:
        return torch.empty(x.shape, dtype=x.dtype, device=x.device)
    return torch.from_numpy(np.empty(n_bytes, np.uint8)).view(x.dtype).view(x.shape)


def copy_of(x: Tensor) -> Tensor:
    """A copy of ``x``."""
    return x.clone() if x.requires_grad else fresh_like(x).copy_(x)


def out_for(x: Tensor) -> Tensor | None:
    """Memory for ``out=`` of an operation on ``x``; None where torch must make its own, for gradients."""
    return None if x.requires_grad else fresh_like(x)
