"""Stages run by torch."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from audiobend.networks.spectrogram_vae import SEED_MAP, SpectrogramVAE
from audiobend.networks.stages import CODE, TIME_AXES, Run
from audiobend.networks.subpixel import Part, Subpixel

Stage = Callable[[Tensor, Part | None], Tensor]


class TorchMachine:
    """A network's stages, with transposed convolutions as ordinary ones wherever that is faster.

    Bends always act on float32, whatever the network runs in.
    """

    def __init__(self, network: SpectrogramVAE, dtype: torch.dtype = torch.float32) -> None:
        network = network if dtype == torch.float32 else copy.deepcopy(network).to(dtype)
        self._dtype = dtype
        self._heights = tuple(layer.height for layer in network.layers())
        encoder = [_encoder_stage(block) for block in network.encoder]
        first, *others = (_decoder_stage(block, dtype) for block in network.decoder)

        def to_code(x: Tensor, _part: Part | None) -> Tensor:
            code: Tensor = network.mean(x.flatten(1))
            return code

        def from_code(z: Tensor, part: Part | None) -> Tensor:
            seed: Tensor = network.expand(z).unflatten(1, (-1, *SEED_MAP))
            return first(seed.contiguous(memory_format=torch.channels_last), part)

        self._stages: list[Stage] = [*encoder, to_code, from_code, *others]

    def run(self, x: Tensor, run: Run) -> Tensor:
        """See `audiobend.networks.staged_backend.Machine`."""
        x, given = x.to(self._dtype), run.given
        for stage in range(run.first, run.last):
            x = self._stages[stage](x, self._part(stage, given, run.rows[stage]))
            given = run.rows[stage]
            if run.bending is not None and run.acts(stage):
                x = run.bending.at(stage, x).to(self._dtype)
            run.see(stage, x)
        return x.float()

    def prepare(self, run: Run) -> None:
        """Nothing is slow."""

    def _part(self, stage: int, given: range | None, wanted: range) -> Part | None:
        if stage not in TIME_AXES:
            return None
        n = SEED_MAP[0] if stage == CODE + 1 else self._heights[stage - 1]
        return Part(n, range(n) if given is None or stage == CODE + 1 else given, wanted)


def _encoder_stage(block: nn.Module) -> Stage:
    # The block's own modules rather than the block: whoever bends the network itself hooks on to that.
    modules = nn.Sequential(*block.children())

    def stage(x: Tensor, _part: Part | None) -> Tensor:
        result: Tensor = modules(x)
        return result

    return stage


def _decoder_stage(block: nn.Module, dtype: torch.dtype) -> Stage:
    transposed, *others = block.children()
    assert isinstance(transposed, nn.ConvTranspose2d)
    rest = nn.Sequential(*others)
    # Where time is not stretched, the ordinary convolution mostly reads padding: in float32 it is slower. In bfloat16
    # the processors' library does transposed convolutions so badly that it wins even there.
    is_slower = transposed.stride[0] == 1 and dtype == torch.float32
    upsample = _whole(transposed) if is_slower else Subpixel(transposed)

    def stage(x: Tensor, part: Part | None) -> Tensor:
        result: Tensor = rest(upsample(x, part))
        return result

    return stage


def _whole(transposed: nn.ConvTranspose2d) -> Stage:
    def stage(x: Tensor, part: Part | None) -> Tensor:
        rows = slice(None) if part is None else slice(part.wanted.start, part.wanted.stop)
        result: Tensor = transposed(x)[:, :, rows]
        return result

    return stage
