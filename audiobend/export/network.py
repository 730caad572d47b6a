"""The network of an exported file: its stages with the patch's bends compiled in, bent and unbent side by side.

Up to the first bend both are the same and worked out once. The decoder works out only the columns that are kept, and
those that the bends behind it look at, as `audiobend.networks.stages` does.
"""

import torch
from torch import Tensor, nn

from audiobend.export.layers import LatentBends, LayerBends
from audiobend.export.upsample import Upsample, WholeUpsample
from audiobend.networks.spectrogram_vae import DECODER_MAPS, SEED_MAP, SpectrogramVAE
from audiobend.networks.stages import CODE, N_STAGES, TIME_AXES

HEIGHTS = (64, 32, 16, 8, 4, 1, *(height for height, _ in DECODER_MAPS))
"""Rows of what each stage puts out."""


class EncoderStage(nn.Module):
    """One block of the encoder."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.modules_ = nn.Sequential(*block.children())

    def forward(self, x: Tensor, given: int, start: int, stop: int) -> Tensor:
        """Return the next maps, always whole."""
        out: Tensor = self.modules_(x)
        return out


class CodeStage(nn.Module):
    """The last maps to the mean code ``(batch, latent)``."""

    def __init__(self, network: SpectrogramVAE) -> None:
        super().__init__()
        self.mean = network.mean

    def forward(self, x: Tensor, given: int, start: int, stop: int) -> Tensor:
        """Return the code."""
        out: Tensor = self.mean(x.flatten(1))
        return out


class DecoderStage(nn.Module):
    """One block of the decoder; the first begins with the code."""

    def __init__(self, network: SpectrogramVAE, index: int) -> None:
        super().__init__()
        transposed, *others = network.decoder[index].children()
        assert isinstance(transposed, nn.ConvTranspose2d)
        height, width = SEED_MAP if index == 0 else DECODER_MAPS[index - 1]
        self.from_code = index == 0
        self.rows, self.columns = SEED_MAP
        self.expand = network.expand if index == 0 else nn.Identity()
        is_whole = transposed.stride[0] == 1
        self.upsample = WholeUpsample(transposed) if is_whole else Upsample(transposed, height, width)
        self.rest = nn.Sequential(*others)

    def forward(self, x: Tensor, given: int, start: int, stop: int) -> Tensor:
        """Return rows ``start`` to ``stop`` of the next maps."""
        if self.from_code:
            x = self.expand(x).view(x.shape[0], -1, self.rows, self.columns)
            x = x.contiguous(memory_format=torch.channels_last)
            given = 0
        out: Tensor = self.rest(self.upsample(x, given, start, stop))
        return out


def stages_of(network: SpectrogramVAE) -> nn.ModuleList:
    """Return the eleven stages of a network in evaluation mode."""
    encoder = [EncoderStage(block) for block in network.encoder]
    return nn.ModuleList([*encoder, CodeStage(network), *(DecoderStage(network, i) for i in range(5))])


class BentNetwork(nn.Module):
    """Windows in, the wanted columns of their bent and unbent reconstructions out.

    Parameters
    ----------
    network, bent_network : SpectrogramVAE
        The same one, unless kernels are bent; from stage ``kernel`` on they differ.
    bends : eleven `LayerBends`
    columns : range
        Wanted of the 128.
    """

    starts: list[int]

    def __init__(
        self,
        network: SpectrogramVAE,
        bent_network: SpectrogramVAE,
        kernel: int,
        bends: list[LayerBends],
        latent: LatentBends,
        columns: range,
    ) -> None:
        super().__init__()
        self.plain = stages_of(network)
        self.has_own_kernels = kernel < N_STAGES
        self.bent = stages_of(bent_network) if self.has_own_kernels else nn.ModuleList()
        self.bends, self.latent = nn.ModuleList(bends), latent
        acting = [i for i, one in enumerate(bends) if len(one.steps) or (i == CODE and len(latent.steps))]
        first = acting[0] if acting else N_STAGES
        self.split = min(kernel, first + 1, N_STAGES)
        self.bend_follows, self.is_bent = first < kernel, first < N_STAGES or self.has_own_kernels
        self.code, self.n_stages = CODE, N_STAGES
        self.first_column, self.last_column = columns.start, columns.stop
        self.heights = list(HEIGHTS)
        self.strides = [TIME_AXES[i].stride if i in TIME_AXES else 1 for i in range(N_STAGES)]
        self.above = [TIME_AXES[i].offsets.start if i in TIME_AXES else 0 for i in range(N_STAGES)]
        self.below = [TIME_AXES[i].offsets.stop if i in TIME_AXES else 0 for i in range(N_STAGES)]

    @torch.jit.export
    def rows(self, values: list[float], bent: bool) -> tuple[list[int], list[int]]:
        """Return for each stage the first row that is worked out, and the one after the last."""
        reaches: list[int] = []
        for layer in self.bends:
            one: int = layer.reach(values)    # type: ignore[operator]
            reaches.append(one if bent else 0)
        starts, stops = [0 for _ in self.heights], self.heights.copy()
        start, stop = self.first_column, self.last_column
        for stage in range(self.n_stages - 1, self.code, -1):
            reach = reaches[stage]
            if reach >= 0:
                starts[stage] = max(start - reach, 0)
                stops[stage] = min(stop + reach, self.heights[stage])
            stride = self.strides[stage]
            start = max(starts[stage] // stride + self.above[stage], 0)
            stop = (stops[stage] + stride - 1) // stride - 1 + self.below[stage]
            stop = min(stop, self.heights[stage - 1])
        return starts, stops

    @torch.jit.export
    def bend(self, x: Tensor, wanted: int, values: list[float], call: int) -> Tensor:
        """Return what stage ``wanted`` put out, bent."""
        x = x.contiguous()    # bends are slow on features side by side
        for stage, layer in enumerate(self.bends):
            if stage == wanted:
                if stage == self.code:
                    x = self.latent(x, values)
                    x = layer(x.unsqueeze(-1).unsqueeze(-1), values, call).flatten(1)
                else:
                    x = layer(x, values, call)
        return x

    @torch.jit.export
    def run(
        self, x: Tensor, first: int, last: int, starts: list[int], stops: list[int], given: int, bent: bool,
        values: list[float], call: int,
    ) -> Tensor:    # fmt: skip
        """Run stages ``first <= stage < last``; ``given`` is the row that maps ``x`` begin with."""
        for stage, plain in enumerate(self.plain):
            if first <= stage and stage < last and not (bent and self.has_own_kernels):
                x = plain(x, given, starts[stage], stops[stage])
                given = starts[stage]
                if bent:
                    x = self.bend(x, stage, values, call)
        for stage, other in enumerate(self.bent):
            if first <= stage and stage < last and bent:
                x = other(x, given, starts[stage], stops[stage])
                given = starts[stage]
                x = self.bend(x, stage, values, call)
        return x

    @torch.jit.export
    def cut(self, x: Tensor, given: int) -> Tensor:
        """Return the wanted rows."""
        first = self.first_column - given
        return x[:, :, first : first + self.last_column - self.first_column]

    def forward(self, x: Tensor, values: list[float], call: int) -> tuple[Tensor, Tensor]:
        """Return bent and unbent columns ``(batch, 1, column, 513)`` of windows ``(batch, 1, 128, 513)``."""
        starts, stops = self.rows(values, True)
        shared = self.run(x, 0, self.split, starts, stops, 0, False, values, call)
        given = starts[self.split - 1]
        plain_starts, plain_stops = self.rows(values, False)
        last = self.n_stages - 1
        end = plain_starts[last] if self.split < self.n_stages else given
        rest = self.run(shared, self.split, self.n_stages, plain_starts, plain_stops, given, False, values, call)
        unbent = self.cut(rest, end)
        if not self.is_bent:
            return unbent, unbent
        begun = self.bend(shared, self.split - 1, values, call) if self.bend_follows else shared
        bent = self.run(begun, self.split, self.n_stages, starts, stops, given, True, values, call)
        return self.cut(bent, starts[last]), unbent

    @torch.jit.export
    def encode(self, x: Tensor, values: list[float], call: int) -> Tensor:
        """Return codes ``(batch, latent)`` of windows, with the bends of the encoder, before those of the code."""
        starts, stops = self.rows(values, True)
        x = self.run(x, 0, self.code, starts, stops, 0, True, values, call)
        return self.run(x, self.code, self.code + 1, starts, stops, 0, False, values, call)

    @torch.jit.export
    def decode(self, z: Tensor, values: list[float], call: int) -> Tensor:
        """Return the wanted columns of windows decoded from codes, with the bends from the code on."""
        starts, stops = self.rows(values, True)
        z = self.bend(z, self.code, values, call)
        x = self.run(z, self.code + 1, self.n_stages, starts, stops, 0, True, values, call)
        return self.cut(x, starts[self.n_stages - 1])
