"""A transposed convolution as an ordinary one: equal, and on a processor up to three times as fast.

Transposed convolution spreads its input out, with zeros between, and most of its products are with those zeros. The
same result comes from an ordinary convolution of the small map that works out, as features of their own, all the
output cells that lie between two input cells, followed by weaving those features into one big map (Shi et al. 2016,
"Is the deconvolution layer the same as a convolutional layer?").
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Subpixel(nn.Module):
    """Do what ``transposed`` does.

    Parameters
    ----------
    transposed : nn.ConvTranspose2d
        Without dilation, groups and output padding.

    Attributes
    ----------
    convolution : nn.Conv2d
        Its features are ordered (row between, column between, feature).
    woven : (int, int)
        Output cells for each input cell: the stride of ``transposed``.

    Examples
    --------
    >>> transposed = nn.ConvTranspose2d(2, 3, (4, 5), (2, 2), (1, 2))
    >>> x = torch.randn(1, 2, 8, 33)
    >>> bool(torch.allclose(Subpixel(transposed)(x), transposed(x), atol=1e-5))
    True
    """

    def __init__(self, transposed: nn.ConvTranspose2d) -> None:
        super().__init__()
        kernel, bias = transposed.weight.detach(), transposed.bias
        assert bias is not None and transposed.groups == 1 and set(transposed.dilation) == {1}
        axes = [
            _Axis(kernel.shape[2 + i], transposed.stride[i], int(transposed.padding[i])) for i in range(2)
        ]
        self._rows, self._columns = axes
        self.woven = (axes[0].stride, axes[1].stride)
        n_in, self._n_out = kernel.shape[:2]
        # A row and a column of zeros, for taps that the kernel does not have.
        padded = F.pad(kernel, (0, 1, 0, 1))
        taps = padded[:, :, axes[0].taps()][..., axes[1].taps()]
        # (in, out, row between, tap, column between, tap) to (row between, column between, out; in, tap, tap)
        taps = taps.permute(2, 4, 1, 0, 3, 5).flatten(0, 2)
        size, padding = (taps.shape[2], taps.shape[3]), (axes[0].padding, axes[1].padding)
        self.convolution = nn.Conv2d(n_in, len(taps), size, padding=padding)
        with torch.no_grad():
            self.convolution.weight.copy_(taps)
            self.convolution.bias.copy_(bias.repeat(len(taps) // self._n_out))    # type: ignore[union-attr]
        self.requires_grad_(False).to(memory_format=torch.channels_last)    # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Return maps ``(batch, out, height, width)`` of the size that ``transposed`` makes, channels last."""
        height, width = self.size(*x.shape[2:])
        between: Tensor = self.convolution(x)[:, :, *self.kept(*x.shape[2:])]
        n, _, rows, columns = between.shape
        woven = between.unflatten(1, (*self.woven, self._n_out)).permute(0, 4, 1, 5, 2, 3)
        big: Tensor = woven.reshape(n, rows * self.woven[0], columns * self.woven[1], self._n_out).permute(0, 3, 1, 2)
        return big[:, :, :height, :width].contiguous(memory_format=torch.channels_last)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of the output for an input of this size."""
        return self._rows.size(height), self._columns.size(width)

    def kept(self, height: int, width: int) -> tuple[slice, slice]:
        """Return which rows and columns of what the convolution puts out are to be woven."""
        return self._rows.kept(height), self._columns.kept(width)


class _Axis:
    """One axis of a transposed convolution: output cell ``stride * q + r`` reads input cells ``q + offset``."""

    def __init__(self, kernel: int, stride: int, cut: int) -> None:
        self.kernel, self.stride, self.cut = kernel, stride, cut
        self._first = -((kernel - 1 - cut) // stride)
        self._last = (stride - 1 + cut) // stride
        beyond = self.groups(0) + self._last    # cells that the last group reads after the last input cell
        self.padding = max(-self._first, beyond, 0)

    def taps(self) -> Tensor:
        """Return for each cell between and each offset which tap of the kernel acts; ``kernel`` where none does."""
        between = torch.arange(self.stride)[:, None]
        tap = between + self.cut - torch.arange(self._first, self._last + 1) * self.stride
        return torch.where((tap >= 0) & (tap < self.kernel), tap, self.kernel)

    def size(self, n: int) -> int:
        """Return how many output cells there are for n input cells."""
        return (n - 1) * self.stride - 2 * self.cut + self.kernel

    def groups(self, n: int) -> int:
        """Return how many groups of ``stride`` output cells hold them all."""
        return -(-self.size(n) // self.stride)

    def kept(self, n: int) -> slice:
        """Return which groups to keep: padding is the same on both sides, what is needed may not be."""
        first = self.padding + self._first
        return slice(first, first + self.groups(n))
