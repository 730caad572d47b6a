"""Stages run by torch."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from audiobend.networks.spectrogram_vae import SEED_MAP, SpectrogramVAE
from audiobend.networks.stages import Bending
from audiobend.networks.subpixel import Subpixel


class TorchMachine:
    """A network's stages, with transposed convolutions as ordinary ones wherever that is faster.

    Bends always act on float32, whatever the network runs in.
    """

    def __init__(self, network: SpectrogramVAE, dtype: torch.dtype = torch.float32) -> None:
        network = network if dtype == torch.float32 else copy.deepcopy(network).to(dtype)
        self._dtype = dtype
        first, *others = (_decoder_stage(block, dtype) for block in network.decoder)

        def to_code(x: Tensor) -> Tensor:
            code: Tensor = network.mean(x.flatten(1))
            return code

        def from_code(z: Tensor) -> Tensor:
            seed: Tensor = network.expand(z).unflatten(1, (-1, *SEED_MAP))
            return first(seed.contiguous(memory_format=torch.channels_last))

        # The blocks' own modules rather than the blocks: whoever bends the network itself hooks on to those.
        encoder = [nn.Sequential(*block.children()) for block in network.encoder]
        self._stages: list[Callable[[Tensor], Tensor]] = [*encoder, to_code, from_code, *others]

    def run(self, x: Tensor, first: int, last: int, bending: Bending | None = None) -> Tensor:
        """See `audiobend.networks.stages.Machine`."""
        x = x.to(self._dtype)
        for stage in range(first, last):
            x = self._stages[stage](x)
            if bending is not None and bending.acts(stage):
                x = bending.at(stage, x.float()).to(self._dtype)
        return x.float()

    def prepare(self, first: int, last: int, bending: Bending | None = None) -> None:
        """Nothing is slow."""


def _decoder_stage(block: nn.Module, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    transposed, *rest = block.children()
    assert isinstance(transposed, nn.ConvTranspose2d)
    # Where time is not stretched, the ordinary convolution mostly reads padding: in float32 it is slower. In bfloat16
    # the processors' library does transposed convolutions so badly that it wins even there.
    slower = transposed.stride[0] == 1 and dtype == torch.float32
    return nn.Sequential(transposed if slower else Subpixel(transposed).to(dtype=dtype), *rest)
