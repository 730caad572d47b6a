"""The network in pieces: cut behind every stage where a patch bends, and once more with bent kernels."""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from audiobend.bending import Plan
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import N_BINS, SEED_MAP, WINDOW, SpectrogramVAE
from audiobend.networks.stages import CODE, N_STAGES, Bending

OPSET = 18
"""The version of ONNX's operators that the files use."""


class Segment(nn.Module):
    """Stages ``first <= stage < last`` of a network, whole."""

    def __init__(self, network: SpectrogramVAE, first: int, last: int) -> None:
        super().__init__()
        self.first, self.last, self.network = first, last, network

    def forward(self, x: Tensor) -> Tensor:
        """Return what the last stage puts out."""
        for stage in range(self.first, self.last):
            if stage < CODE:
                x = self.network.encoder[stage](x)
            elif stage == CODE:
                x = self.network.mean(x.flatten(1))
            else:
                if stage == CODE + 1:
                    x = self.network.expand(x).reshape(x.shape[0], -1, *SEED_MAP)
                x = self.network.decoder[stage - CODE - 1](x)
        return x


@dataclass(frozen=True)
class Piece:
    """One file: its stages, and whose kernels it has."""

    file: str
    first: int
    last: int
    bent: bool


def pieces_of(model: Model, plan: Plan) -> list[Piece]:
    """Return the files of a bent network, in the order in which a window runs through them.

    It is cut where something is bent, and always behind the code; what bent kernels are part of stands there twice.
    """
    names = [layer.name for layer in model.network.layers()]
    kernel = min((names.index(one.layer) for one in plan.patch.weights), default=N_STAGES)
    edges = [0, *(cut + 1 for cut in _cuts(model, plan)), N_STAGES]
    halves = {"encoder": sum(edge <= CODE for edge in edges), "decoder": sum(CODE < edge < N_STAGES for edge in edges)}
    counts = {"encoder": 0, "decoder": 0}
    found = []
    for first, last in pairwise(edges):
        half = "encoder" if first <= CODE else "decoder"
        counts[half] += 1
        name = half if halves[half] == 1 else f"{half}-{counts[half]}"
        found.append(Piece(f"{name}.onnx", first, last, False))
        if last > kernel:
            found.append(Piece(f"{name}-bent.onnx", first, last, True))
    return found


def _cuts(model: Model, plan: Plan) -> list[int]:
    bending = Bending(plan, tuple(layer.name for layer in model.network.layers()), model.latent_axes)
    return [stage for stage in range(N_STAGES - 1) if stage == CODE or bending.acts(stage)]


def chain(pieces: list[Piece], bent: bool) -> list[Piece]:
    """Return the files that a bent or an unbent window runs through."""
    own = {(piece.first, piece.last) for piece in pieces if piece.bent}
    return [piece for piece in pieces if piece.bent == (bent and (piece.first, piece.last) in own)]


def shape_behind(network: SpectrogramVAE, stage: int) -> tuple[int, ...]:
    """Return the shape of one item of what a stage puts out; of the window for the stage before the first."""
    if stage < 0:
        return (1, WINDOW, N_BINS)
    layer = network.layers()[stage]
    return (layer.n_features,) if stage == CODE else (layer.n_features, layer.height, layer.width)
