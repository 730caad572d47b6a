"""The arithmetic of StyleGAN2's synthesis (Karras et al., 2020): modulated convolutions, and their filters.

A style multiplies the features that a convolution reads, and its results are divided by the length of the kernels
so changed (section 2.2 of the paper). Both can be done to the maps, with one convolution for the whole batch, or, for
one picture, to the kernels. The shorter way is taken; they differ by rounding only.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-8
SLOPE = 0.2
GAIN = 2**0.5
FILTER = (1.0, 3.0, 3.0, 1.0)
"""The filter behind and before every change of size, along each axis; not yet divided by its sum."""


def demodulation(weight_energy: Tensor, style: Tensor) -> Tensor:
    """Return what keeps the scale of the features, ``(batch, out)``.

    Parameters
    ----------
    weight_energy : Tensor of shape ``(out, in)``
        Sums of the squares of the kernels.
    style : Tensor of shape ``(batch, in)``
    """
    return torch.rsqrt(style.float().square() @ weight_energy.float().t() + EPSILON)


def modulated_convolution(x: Tensor, weight: Tensor, style: Tensor, after: Tensor | None, up: bool) -> Tensor:
    """Convolve maps with kernels that a style changes.

    Parameters
    ----------
    x : Tensor of shape ``(batch, in, height, width)``
    weight : Tensor of shape ``(out, in, k, k)``
    style : Tensor of shape ``(batch, in)``
        What the features are multiplied by.
    after : Tensor of shape ``(batch, out)`` or None
        What the results are multiplied by.
    up : bool
        Double height and width: a transposed convolution, then the filter.
    """
    style = style.to(x.dtype)
    after = None if after is None else after.to(x.dtype)
    if _kernels_are_smaller(x, weight):
        kernels = weight * style[0, None, :, None, None]
        kernels = kernels if after is None else kernels * after[0, :, None, None, None]
        return _convolve(x, kernels, up)
    y = _convolve(x * style[:, :, None, None], weight, up)
    return y if after is None else y * after[:, :, None, None]


def _kernels_are_smaller(x: Tensor, weight: Tensor) -> bool:
    maps = x.shape[2] * x.shape[3] * (weight.shape[0] + weight.shape[1])
    return x.shape[0] == 1 and maps > 2 * weight.numel()


def _convolve(x: Tensor, weight: Tensor, up: bool) -> Tensor:
    if not up:
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    return blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))


def blur(x: Tensor) -> Tensor:
    """Smooth what a transposed convolution put out, ``(2 * height + 1, 2 * width + 1)``; one row and column less."""
    taps = torch.tensor(FILTER, device=x.device, dtype=torch.float32)
    kernel = torch.outer(taps, taps) * (4 / taps.sum() ** 2)
    n_features = x.shape[1]
    kernels = kernel.to(x.dtype).expand(n_features, 1, -1, -1).contiguous(memory_format=torch.channels_last)
    return F.conv2d(x, kernels, padding=1, groups=n_features)


def enlarge(picture: Tensor) -> Tensor:
    """Double the size of a picture ``(batch, 3, height, width)`` through the filter; beyond its edges lies 0."""
    # The filter's two phases are 1/4 and 3/4, which is what bilinear interpolation takes.
    padded = F.pad(picture, (1, 1, 1, 1))
    return F.interpolate(padded, scale_factor=2, mode="bilinear", align_corners=False)[..., 2:-2, 2:-2]


def activation(x: Tensor) -> Tensor:
    """Leaky ReLU, times the square root of 2."""
    return F.leaky_relu(x, SLOPE).mul_(GAIN)
