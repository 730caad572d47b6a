"""Transposed convolution as an ordinary one, compiled: see `audiobend.networks.subpixel`. Works out only some rows."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audiobend.networks.subpixel import Subpixel


class Upsample(nn.Module):
    """Rows of what a transposed convolution puts out.

    Parameters
    ----------
    height, width : int
        Of the whole input.
    """

    kernel: Tensor
    bias: Tensor

    def __init__(self, transposed: nn.ConvTranspose2d, height: int, width: int) -> None:
        super().__init__()
        made = Subpixel(transposed)
        self.register_buffer("kernel", made.kernel)
        self.register_buffer("bias", made.bias)
        self.height, self.row_stride, self.column_stride = height, made.rows.stride, made.columns.stride
        self.above, self.below = made.rows.offsets.start, made.rows.offsets.stop
        _, columns = made.parts(height, width)
        self.left, self.right = columns.padding(made.columns)
        taken, kept = columns.taken(made.columns), columns.kept(made.columns)
        self.first_taken, self.last_taken = int(taken.start), int(taken.stop)
        self.first_kept, self.last_kept = int(kept.start), int(kept.stop)

    def forward(self, x: Tensor, given: int, start: int, stop: int) -> Tensor:
        """Return rows ``start`` to ``stop`` of the output, of an input that begins with its row ``given``."""
        first_group = start // self.row_stride
        first = first_group + self.above
        last = (stop + self.row_stride - 1) // self.row_stride - 1 + self.below
        taken = x[:, :, max(first, 0) - given : min(last, self.height) - given, self.first_taken : self.last_taken]
        above, below, left = max(-first, 0), max(last - self.height, 0), self.left
        if above != below or self.left != self.right:
            taken, above, left = F.pad(taken, [self.left, self.right, above, below]), 0, 0
        groups = F.conv2d(taken, self.kernel, self.bias, padding=[above, left])
        n, height, width = groups.shape[0], groups.shape[2], groups.shape[3]
        cells = groups.reshape(n, self.row_stride, self.column_stride, -1, height, width).permute(0, 4, 1, 5, 2, 3)
        big = cells.reshape(n, height * self.row_stride, width * self.column_stride, -1).permute(0, 3, 1, 2)
        kept = start - first_group * self.row_stride
        rows = big[:, :, kept : kept + stop - start, self.first_kept : self.last_kept]
        return rows.contiguous(memory_format=torch.channels_last)


class WholeUpsample(nn.Module):
    """The same by the transposed convolution itself: faster where it does not stretch time."""

    def __init__(self, transposed: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.transposed = transposed

    def forward(self, x: Tensor, given: int, start: int, stop: int) -> Tensor:
        """Return rows ``start`` to ``stop`` of the output; the input is always whole."""
        big: Tensor = self.transposed(x)
        return big[:, :, start:stop]
