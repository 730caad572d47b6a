"""ONNX: the network in pieces, cut wherever the patch bends, and a manifest that tells a host how to join them.

ONNX holds no bends: the host does them between two files, on the maps that the one puts out and the other takes.
"""

import json
import logging
import secrets
import shutil
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audiobend.bending import Plan
from audiobend.bending.step import Step
from audiobend.errors import AudiobendError, ModelError
from audiobend.export.bends import Place, bender_for
from audiobend.export.bends.exchanged import Blend, Exchange
from audiobend.export.build import audible
from audiobend.export.exporting import Export, Exported, Progress
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import N_BINS, SEED_MAP, WINDOW, SpectrogramVAE
from audiobend.networks.stages import CODE, N_STAGES, Bending
from audiobend.spectral.codec import CEILING_DB, FLOOR_DB
from audiobend.spectral.stft import HOP_LENGTH, N_FFT

MANIFEST = "manifest.json"
TOLERANCE = 1e-4
"""How far ONNX may be from torch, in the units of maps whose largest number is 1 or less."""
_OPSET = 18


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
class _Piece:
    """One file: its stages, and whose kernels it has."""

    file: str
    first: int
    last: int
    bent: bool


def write_onnx(plan: Export, out: Path, advance: Progress = lambda _: None) -> Exported:
    """Write a folder of ONNX files and their manifest, and check every one of them in onnxruntime.

    Raises
    ------
    AudiobendError
        If the folder is there and holds something else.
    ModelError
        If onnxruntime puts out anything else than torch.
    """
    if out.exists() and not (out / MANIFEST).is_file():
        raise AudiobendError(f"{out}: is there and holds no ONNX export of audiobend; give another name")
    resolved = audible(plan.model, plan.patch, plan.controls)
    cuts = cut_points(plan.model, resolved)
    pieces = _pieces(plan.model, resolved, cuts)
    bent_network = plan.model.bent_network(plan.patch)
    temporary = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        x = _windows(plan.model)
        for done, piece in enumerate(pieces):
            network = bent_network if piece.bent else plan.model.network
            _write_piece(network, piece, temporary / piece.file)
            advance((done + 1) / (len(pieces) + 1))
        worst = check_pieces(temporary, plan.model, bent_network, resolved, pieces, x)
        manifest = _manifest(plan, resolved, pieces, worst)
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    files = [out / piece.file for piece in pieces] + [out / MANIFEST]
    return Exported(files, {**plan.facts(), "largest_difference": worst})


def cut_points(model: Model, plan: Plan) -> list[int]:
    """Return the stages behind which the network is cut: where something is bent, and always behind the code."""
    bending = Bending(plan, tuple(layer.name for layer in model.network.layers()), model.latent_axes)
    return [stage for stage in range(N_STAGES - 1) if stage == CODE or bending.acts(stage)]


def _pieces(model: Model, plan: Plan, cuts: list[int]) -> list[_Piece]:
    names = [layer.name for layer in model.network.layers()]
    kernel = min((names.index(one.layer) for one in plan.patch.weights), default=N_STAGES)
    edges = [0, *(cut + 1 for cut in cuts), N_STAGES]
    halves = {"encoder": sum(edge <= CODE for edge in edges), "decoder": sum(CODE < edge < N_STAGES for edge in edges)}
    counts = {"encoder": 0, "decoder": 0}
    found = []
    for first, last in pairwise(edges):
        half = "encoder" if first <= CODE else "decoder"
        counts[half] += 1
        name = half if halves[half] == 1 else f"{half}-{counts[half]}"
        found.append(_Piece(f"{name}.onnx", first, last, False))
        if last > kernel:
            found.append(_Piece(f"{name}-bent.onnx", first, last, True))
    return found


def _windows(model: Model) -> Tensor:
    """Return two windows of noise in bands, as the network sees them."""
    generator = torch.Generator().manual_seed(0)
    db = -40 + 15 * torch.randn(2, WINDOW, N_BINS, generator=generator)
    return ((db.clamp(FLOOR_DB, 0) - model.codec.mean_db) / model.codec.scale_db)[:, None]


def _write_piece(network: SpectrogramVAE, piece: _Piece, path: Path) -> None:
    segment = Segment(network, piece.first, piece.last).eval()
    example = torch.zeros(2, *_shape(network, piece.first - 1))
    batch = torch.export.Dim("batch", min=1, max=64)
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                segment, (example,), str(path), input_names=["input"], output_names=["output"], dynamo=True,
                opset_version=_OPSET, dynamic_shapes=({0: batch},), external_data=False, verbose=False,
            )    # fmt: skip
    finally:
        logger.setLevel(before)


def _shape(network: SpectrogramVAE, stage: int) -> tuple[int, ...]:
    """Return the shape of one item of what a stage puts out; of the window for the stage before the first."""
    if stage < 0:
        return (1, WINDOW, N_BINS)
    layer = network.layers()[stage]
    return (layer.n_features,) if stage == CODE else (layer.n_features, layer.height, layer.width)


@torch.no_grad()
def check_pieces(
    folder: Path, model: Model, bent_network: SpectrogramVAE, plan: Plan, pieces: list[_Piece], x: Tensor
) -> float:
    """Run bent and unbent windows through onnxruntime and torch; return the largest difference.

    Raises
    ------
    ModelError
        If it is above `TOLERANCE`.
    """
    import onnxruntime

    sessions = {
        piece: onnxruntime.InferenceSession(str(folder / piece.file), providers=["CPUExecutionProvider"])
        for piece in pieces
    }
    bending = Bending(plan, tuple(layer.name for layer in model.network.layers()), model.latent_axes)
    worst = 0.0
    for bent in (False, True):
        here = there = x
        for piece in chain(pieces, bent):
            network = bent_network if piece.bent else model.network
            (made,) = sessions[piece].run(None, {"input": here.contiguous().numpy()})
            here, there = torch.from_numpy(made), Segment(network, piece.first, piece.last)(there)
            if bent and bending.acts(piece.last - 1):
                here, there = bending.at(piece.last - 1, here), bending.at(piece.last - 1, there)
            scale = max(1.0, float(there.abs().max()))
            worst = max(worst, float((here - there).abs().max()) / scale)
            if not worst <= TOLERANCE:
                raise ModelError(f"{piece.file}: onnxruntime is {worst:.2g} away from torch, more than {TOLERANCE:g}")
    return worst


def chain(pieces: list[_Piece], bent: bool) -> list[_Piece]:
    """Return the files that a bent or an unbent window runs through."""
    own = {(piece.first, piece.last) for piece in pieces if piece.bent}
    return [piece for piece in pieces if piece.bent == (bent and (piece.first, piece.last) in own)]


def _manifest(plan: Export, resolved: Plan, pieces: list[_Piece], worst: float) -> dict[str, Any]:
    model, names = plan.model, [layer.name for layer in plan.model.network.layers()]

    def described(piece: _Piece) -> dict[str, Any]:
        return {
            "file": piece.file,
            "input": ["batch", *_shape(model.network, piece.first - 1)],
            "output": ["batch", *_shape(model.network, piece.last - 1)],
            "layer": names[piece.last - 1],
        }

    def bent(piece: _Piece) -> dict[str, Any]:
        layer = names[piece.last - 1]
        steps = [_bend(step, plan) for step in resolved.steps.get(layer, ())]
        latent = _latent(plan) if piece.last - 1 == CODE else []
        return described(piece) | {"then": [*latent, *steps]}

    facts = plan.facts()
    return {
        "audiobend-onnx": 1,
        **{key: facts[key] for key in ("audiobend", "model", "fingerprint", "patch", "seed", "sample_rate")},
        "window": {"columns": WINDOW, "bins": N_BINS, "n_fft": N_FFT, "hop_length": HOP_LENGTH, "shape": "hann"},
        "codec": {
            "input": "(dB - mean_db) / scale_db",
            "output": "value * scale_db + mean_db",
            "floor_db": FLOOR_DB,
            "ceiling_db": CEILING_DB,
            "scale_db": model.codec.scale_db,
            "mean_db": [round(one, 4) for one in model.codec.mean_db.tolist()],
        },
        "bent": [bent(piece) for piece in chain(pieces, True)],
        "unbent": [described(piece) for piece in chain(pieces, False)],
        "output": {key: getattr(plan.patch.output, key) for key in ("mix", "detail", "gain_db")},
        "modulation": [
            {"target": one.target, "lfo": one.lfo, "rate_hz": one.rate_hz, "depth": one.depth, "phase": one.phase}
            for one in plan.patch.modulation
        ],
        "stride": plan.settings.stride,
        "look_ahead": plan.settings.look_ahead,
        "opset": _OPSET,
        "largest_difference": worst,
    }


def _bend(step: Step, plan: Export) -> dict[str, Any]:
    bend = plan.patch.bend(step.bend.id)
    layer = next(one for one in plan.model.network.layers() if one.name == step.layer)
    bender = bender_for(Place(step, layer.n_features, layer.height, layer.width))
    taken = {"source": bender.source.tolist()} if isinstance(bender, Exchange | Blend) else {}
    return taken | {
        "id": bend.id,
        "transform": step.entry.name,
        "profile": plan.patch.profile_of(bend),
        "params": dict(step.values),
        "features": list(step.chosen),
        "mix": bend.mix,
        "on": bend.on,
        "with_norm": bend.with_norm,
    }


def _latent(plan: Export) -> list[dict[str, Any]]:
    entries = []
    for one in plan.patch.latent:
        entry: dict[str, Any] = {"latent": one.op, "params": dict(one.params)}
        axis = int(one.params.get("axis", -1))
        if axis >= 0:
            entry["direction"] = [round(value, 6) for value in plan.model.latent_axes[axis].tolist()]
        entries.append(entry)
    return entries
