"""What a host reads beside the ONNX files: how they are joined, and what is done between two of them."""

from typing import Any

from audiobend.bending import Plan
from audiobend.bending.step import Step
from audiobend.export.bends import Place, bender_for
from audiobend.export.bends.exchanged import Blend, Exchange
from audiobend.export.exporting import Export
from audiobend.export.onnx_pieces import OPSET, Piece, chain, shape_behind
from audiobend.networks.spectrogram_vae import N_BINS, WINDOW
from audiobend.networks.stages import CODE
from audiobend.spectral.codec import CEILING_DB, FLOOR_DB
from audiobend.spectral.stft import HOP_LENGTH, N_FFT


def manifest_of(plan: Export, resolved: Plan, pieces: list[Piece], worst: float) -> dict[str, Any]:
    """Return the manifest of an export; ``worst`` is how far onnxruntime was from torch.

    Directions of the latent code and what features are exchanged with stand in it, so that a host needs no model.
    """
    model, names = plan.model, [layer.name for layer in plan.model.network.layers()]

    def described(piece: Piece) -> dict[str, Any]:
        return {
            "file": piece.file,
            "input": ["batch", *shape_behind(model.network, piece.first - 1)],
            "output": ["batch", *shape_behind(model.network, piece.last - 1)],
            "layer": names[piece.last - 1],
        }

    def bent(piece: Piece) -> dict[str, Any]:
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
        "opset": OPSET,
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
