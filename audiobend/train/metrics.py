"""How far a reconstruction is from its target, in figures that can be read beside each other."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from audiobend.spectral.codec import FLOOR_DB

LOUD_DB = -60.0
RESOLUTIONS = (512, 1024, 2048, 4096)
N_MELS = 64


@dataclass(frozen=True)
class Figure:
    """What one figure is called, and what it says."""

    title: str
    says: str
    best: float = 0.0
    """Its value where output and target are equal."""


FIGURES = {
    "lsd_all": Figure("LSD dB", "rms error in dB over all bins, both floored at -80"),
    "lsd_loud": Figure("LSD loud", "the same over bins whose target is above -60 dB"),
    "sc": Figure("conv.", "spectral convergence of linear magnitudes; silence scores 1"),
    "mel": Figure("mel dB", "rms error in dB of the mean power in 64 mel bands, floored at -80"),
    "onset": Figure("onset", "correlation of onset curves", best=1.0),
    "bias": Figure("bias dB", "mean error of the loud bins: level"),
    "mr_stft": Figure("MR-STFT", "multi-resolution STFT distance of the sound, resynthesised with the input's phase"),
}


def fidelity(target_db: Tensor, output_db: Tensor) -> dict[str, float]:
    """Compare two spectrograms of one clip, both ``(time, 513)`` in dB re the target's loudest bin.

    Windows ``(window, time, 513)`` of one clip are compared together; no onset is seen where one ends and the next
    begins.

    Returns
    -------
    dict
        ``lsd_all``: rms error in dB with both floored at -80; ``lsd_loud``: over bins whose target is above -60 dB;
        ``sc``: spectral convergence of the linear magnitudes (silence scores 1); ``mel``: rms error in dB of the mean
        power in 64 mel bands, floored at -80 as the bins are; ``onset``: correlation of the onset curves (mean rise of
        dB from column to column); ``bias``: mean error of the loud bins (level).

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
    mel_error = _mel_db(linear_target) - _mel_db(linear_output)
    return {
        "lsd_all": float(error.square().mean().sqrt()),
        "lsd_loud": float(error[loud].square().mean().sqrt()) if loud.any() else 0.0,
        "sc": _convergence(linear_target, linear_output),
        "mel": float(mel_error.square().mean().sqrt()),
        "onset": _correlation(_onsets(target), _onsets(output)),
        "bias": float(error[loud].mean()) if loud.any() else 0.0,
    }


def multi_resolution_distance(target: Tensor, output: Tensor) -> float:
    """Compare two sounds ``(clip, time)`` of at least 4096 samples at four resolutions; 0 where they are equal.

    Mean over n_fft 512, 1024, 2048 and 4096 (Hann, hop a quarter) of spectral convergence plus mean absolute
    difference of natural logarithms of magnitudes, after Yamamoto, Song and Kim, "Parallel WaveGAN" (ICASSP 2020,
    section 2.2). Magnitudes are floored 80 dB under the target's loudest bin, so that silence has a logarithm.

    Examples
    --------
    >>> tone = torch.sin(torch.arange(8192) / 9)[None]
    >>> multi_resolution_distance(tone, tone), multi_resolution_distance(tone, tone / 2) > 0.5
    (0.0, True)
    """
    distances = []
    for n_fft in RESOLUTIONS:
        true, made = (_magnitudes(waveform, n_fft) for waveform in (target, output))
        floor = float(true.max()) * 10 ** (FLOOR_DB / 20) + 1e-20
        logarithms = (true.clamp(min=floor).log() - made.clamp(min=floor).log()).abs().mean()
        distances.append(_convergence(true, made) + float(logarithms))
    return sum(distances) / len(distances)


def mean_of(results: list[dict[str, float]]) -> dict[str, float]:
    """Average each figure over clips."""
    return {key: sum(result[key] for result in results) / len(results) for key in results[0]}


def _magnitudes(waveform: Tensor, n_fft: int) -> Tensor:
    window = torch.hann_window(n_fft, dtype=torch.float64)
    frames = waveform.double().unfold(-1, n_fft, n_fft // 4) * window
    magnitudes: Tensor = torch.fft.rfft(frames).abs()
    return magnitudes


def _convergence(target: Tensor, output: Tensor) -> float:
    """Spectral convergence: Frobenius norm of the error over that of the target."""
    return float((target - output).norm() / target.norm().clamp(min=1e-12))


def _linear(db: Tensor) -> Tensor:
    return torch.where(db <= FLOOR_DB, torch.zeros_like(db), 10 ** (db / 20))


def _onsets(db: Tensor) -> Tensor:
    return (db[..., 1:, :] - db[..., :-1, :]).clamp(min=0).mean(dim=-1).flatten()


def _correlation(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size > 1e-9 else 0.0


def _mel_db(magnitude: Tensor) -> Tensor:
    return (10 * (magnitude.square() @ _mel_bands().T).clamp(min=10 ** (FLOOR_DB / 10)).log10())


@cache
def _mel_bands() -> Tensor:
    """Weights ``(64, 513)`` that sum to one in each band.

    A band all of whose bins are at x dB is at x dB, so its floor means what the bins' means. (Slaney's own scaling
    would put every band 20 to 30 dB lower, and most of the error under the floor.)
    """
    import librosa  # slow to import, and only evaluation needs it

    weights = torch.from_numpy(librosa.filters.mel(sr=44100, n_fft=1024, n_mels=N_MELS, norm=None)).double()
    return weights / weights.sum(1, keepdim=True)
