"""ONNX: the network in pieces, cut wherever the patch bends, and a manifest that tells a host how to join them.

ONNX holds no bends: the host does them between two files, on the maps that the one puts out and the other takes.
"""

import json
import logging
import secrets
import shutil
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.errors import AudiobendError, ModelError
from audiobend.export.build import audible
from audiobend.export.exporting import Export, Exported, Progress
from audiobend.export.onnx_manifest import manifest_of
from audiobend.export.onnx_pieces import OPSET, Piece, Segment, chain, pieces_of, shape_behind
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import N_BINS, WINDOW, SpectrogramVAE
from audiobend.networks.stages import Bending
from audiobend.spectral.codec import FLOOR_DB

MANIFEST = "manifest.json"
TOLERANCE = 1e-4
"""How far ONNX may be from torch, in the units of maps whose largest number is 1 or less."""

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
    pieces = pieces_of(plan.model, resolved)
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
        manifest = manifest_of(plan, resolved, pieces, worst)
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    files = [out / piece.file for piece in pieces] + [out / MANIFEST]
    return Exported(files, {**plan.facts(), "largest_difference": worst})


def _windows(model: Model) -> Tensor:
    """Return two windows of noise in bands, as the network sees them."""
    generator = torch.Generator().manual_seed(0)
    db = -40 + 15 * torch.randn(2, WINDOW, N_BINS, generator=generator)
    return ((db.clamp(FLOOR_DB, 0) - model.codec.mean_db) / model.codec.scale_db)[:, None]


def _write_piece(network: SpectrogramVAE, piece: Piece, path: Path) -> None:
    segment = Segment(network, piece.first, piece.last).eval()
    example = torch.zeros(2, *shape_behind(network, piece.first - 1))
    batch = torch.export.Dim("batch", min=1, max=64)
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                segment, (example,), str(path), input_names=["input"], output_names=["output"], dynamo=True,
                opset_version=OPSET, dynamic_shapes=({0: batch},), external_data=False, verbose=False,
            )    # fmt: skip
    finally:
        logger.setLevel(before)


@torch.no_grad()
def check_pieces(
    folder: Path, model: Model, bent_network: SpectrogramVAE, plan: Plan, pieces: list[Piece], x: Tensor
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
