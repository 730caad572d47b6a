"""How far a reconstruction is from its target, and how far one gets without any model."""

import torch
from torch import Tensor

from audiobend.spectral.codec import FLOOR_DB

LOUD_DB = -60.0


def fidelity(target_db: Tensor, output_db: Tensor) -> dict[str, float]:
    """Compare two spectrograms of one clip, both ``(time, 513)`` in dB re the target's loudest bin.

    Returns
    -------
    dict
        ``lsd_all``: rms error in dB with both floored at -80; ``lsd_loud``: over bins whose target is above -60 dB;
        ``sc``: spectral convergence of the linear magnitudes (silence scores 1); ``mel``: rms error of 64 mel bands;
        ``onset``: correlation of the onset curves; ``bias``: mean error of the loud bins (level).

    Examples
    --------
    >>> spectrum = torch.full((200, 513), -20.0)
    >>> fidelity(spectrum, spectrum)["lsd_all"]
    0.0
    """
    target = target_db.double().clamp(min=FLOOR_DB)
    output = torch.nan_to_num(output_db.double(), nan=FLOOR_DB).clamp(FLOOR_DB, 20.0)
    loud = target > LOUD_DB
    error = output - target
    linear_target, linear_output = _linear(target), _linear(output)
    bands = _mel_bands().double()
    mel = [20 * torch.log10(((x.square() @ bands.T).sqrt()).clamp(min=1e-4)) for x in (linear_target, linear_output)]
    return {
        "lsd_all": float(error.square().mean().sqrt()),
        "lsd_loud": float(error[loud].square().mean().sqrt()) if loud.any() else 0.0,
        "sc": float((linear_target - linear_output).norm() / linear_target.norm().clamp(min=1e-12)),
        "mel": float((mel[0] - mel[1]).square().mean().sqrt()),
        "onset": _correlation(_onsets(target), _onsets(output)),
        "bias": float(error[loud].mean()) if loud.any() else 0.0,
    }


def mean_of(results: list[dict[str, float]]) -> dict[str, float]:
    """Average each figure over clips."""
    return {key: sum(result[key] for result in results) / len(results) for key in results[0]}


def _linear(db: Tensor) -> Tensor:
    return torch.where(db <= FLOOR_DB, torch.zeros_like(db), 10 ** (db / 20))


def _onsets(db: Tensor) -> Tensor:
    return (db[1:] - db[:-1]).clamp(min=0).mean(dim=-1)


def _correlation(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size > 1e-9 else 0.0


def _mel_bands() -> Tensor:
    import librosa  # slow to import, and only evaluation needs it

    return torch.from_numpy(librosa.filters.mel(sr=44100, n_fft=1024, n_mels=64))
