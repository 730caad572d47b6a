"""What one hears, in figures: loudness by band, brightness, noisiness, onsets, stereo width; and how they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.spectral.stft import N_BINS, N_FFT

SAMPLE_RATE = 44100
BANDS: Mapping[str, tuple[float, float]] = {
    "bass": (0, 150), "low": (150, 500), "mid": (500, 2000), "presence": (2000, 6000), "high": (6000, 12000),
    "air": (12000, 22050),
}
"""Names of bands and their limits in Hz."""
RANGE_DB = 80.0
"""What lies further under the loudest column of the unbent sound counts as this far under it."""
AUDIBLE_DB = 50.0
SILENT_DB = 40.0
"""A bent sound may be this much quieter than the unbent one before its timbre drowns in the floor."""
N_MELS = 64
ATTACKS, STEADY = 0.85, 0.6
"""Columns whose onset strength is above the first share of all are attacks, those under the second are steady."""
CELL_FLOOR_DB, CELL_DB = -80.0, -60.0
"""Bins are floored at the first, and count where they are above the second in one of two sounds."""

NAMES = (
    "level_db", *(f"{band}_db" for band in BANDS), "attacks_db", "steady_db", "centroid_octaves", "flatness_db",
    "onset_percent", "width_db",
)
"""What `changes` returns."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """Descriptors of a sound, column by column, and what of it is loud enough to be heard.

    Attributes
    ----------
    bands : array of shape ``(band, column)``
        Power.
    centroid, flatness, onset : arrays of shape ``(column,)``
        Spectral centroid in Hz, spectral flatness 0..1, onset strength in dB per column (all librosa's).
    mid, side : arrays of shape ``(column,)``
        Power of the half sum and the half difference of the channels.
    """

    bands: Array
    centroid: Array
    flatness: Array
    onset: Array
    mid: Array
    side: Array

    @property
    def power(self) -> Array:
        """Power of each column."""
        return np.asarray(self.bands.sum(0))


def hear(spectra: Tensor, floor: float) -> Heard:
    """Return the descriptors of spectra, complex ``(..., channel, 513, column)``; leading axes follow in time.

    ``floor`` is a power under which nothing is heard: it keeps logarithms and onsets of silence finite.
    """
    import librosa  # slow to import

    power = spectra.abs().square().mean(-3).double()
    # What is quiet as a whole keeps its timbre: only what is silent as a whole has none.
    floor = min(floor, max(floor_of(spectra), floor * 10 ** (-SILENT_DB / 10)))
    middle = spectra.mean(-3)
    side = power.new_zeros(middle.shape[:-2] + middle.shape[-1:])
    if spectra.shape[-3] == 2:
        side = ((spectra[..., 0, :, :] - spectra[..., 1, :, :]) / 2).abs().square().double().sum(-2)
    magnitude = power.clamp(min=floor / N_BINS).sqrt().numpy()
    mels = 10 * (_mel_weights() @ power).clamp(min=floor / N_MELS).log10()
    # A floor in place of librosa's own dB: its top_db would follow the bent sound's loudest moment.
    onset = librosa.onset.onset_strength_multi(S=mels.numpy(), sr=SAMPLE_RATE, center=False, channels=None)[..., 0, :]
    return Heard(
        _joined((_band_weights() @ power).clamp(min=0)),
        librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE)[..., 0, :].ravel(),
        librosa.feature.spectral_flatness(S=magnitude)[..., 0, :].ravel(),
        np.asarray(onset, dtype=np.float64).ravel(),
        middle.abs().square().double().sum(-2).numpy().ravel(),
        side.numpy().ravel(),
    )


def floor_of(spectra: Tensor) -> float:
    """Return the power that counts as silence beside the loudest column of these spectra."""
    loudest = float(spectra.abs().square().mean(-3).sum(-2).max())
    return max(loudest, 1e-20) * 10 ** (-RANGE_DB / 10)


def changes(unbent: Heard, bent: Heard, floor: float) -> dict[str, float]:
    """Return how each descriptor moves from the unbent to the bent sound.

    Returns
    -------
    dict
        ``level_db`` and ``<band>_db``: change of the mean power; ``attacks_db`` and ``steady_db``: the same in columns
        where the unbent sound has strong onsets, and where it has few; ``centroid_octaves``; ``flatness_db``;
        ``onset_percent``: change of the mean onset strength; ``width_db``: change of side over mid (0 in mono).

    Means are over columns that can be heard in the unbent sound.
    """
    heard = unbent.power >= max(unbent.power.max() * 10 ** (-AUDIBLE_DB / 10), floor)
    if not heard.any():
        return dict.fromkeys(NAMES, 0.0)
    kept = np.nonzero(heard)[0]
    strong = unbent.onset >= np.quantile(unbent.onset[kept], ATTACKS)
    weak = unbent.onset <= np.quantile(unbent.onset[kept], STEADY)
    found = {"level_db": _ratio_db(bent.power, unbent.power, heard, floor)}
    for index, name in enumerate(BANDS):
        found[f"{name}_db"] = _ratio_db(bent.bands[index], unbent.bands[index], heard, floor)
    found["attacks_db"] = _ratio_db(bent.power, unbent.power, heard & strong, floor)
    found["steady_db"] = _ratio_db(bent.power, unbent.power, heard & weak, floor)
    found["centroid_octaves"] = float(np.log2(bent.centroid[kept] / unbent.centroid[kept]).mean())
    found["flatness_db"] = float(10 * np.log10(bent.flatness[kept] / unbent.flatness[kept]).mean())
    found["onset_percent"] = 100 * float(bent.onset[kept].mean() / max(unbent.onset[kept].mean(), 1e-3) - 1)
    found["width_db"] = _width_db(bent, heard, floor) - _width_db(unbent, heard, floor)
    return found


@dataclass(frozen=True)
class Profile:
    """Where and when two spectrograms differ: mean absolute differences in dB over bins that can be heard.

    Attributes
    ----------
    bands : array of shape ``(band,)``
        A band without a bin that can be heard has 0.
    attacks, steady, all : float
        In columns with strong onsets, in those with few, and in all.
    signed : float
        The mean difference with its sign: far from ``all`` where a bend takes here and gives there.
    """

    bands: Array
    attacks: float
    steady: float
    all: float
    signed: float

    def targets(self) -> dict[str, float]:
        """Return the change in each band, and in attacks and steady columns, by name."""
        times = {"attacks": self.attacks, "steady": self.steady}
        return {name: float(value) for name, value in zip(BANDS, self.bands, strict=True)} | times


def profile(unbent_db: Sequence[Tensor], bent_db: Sequence[Tensor]) -> Profile:
    """Compare pairs of spectrograms ``(..., 513, column)`` in dB; each pair tells its own attacks from the rest."""
    sums, counts = np.zeros(len(BANDS) + 3), np.zeros(len(BANDS) + 3)
    signed = 0.0
    for before, after in zip(unbent_db, bent_db, strict=True):
        unbent, bent = before.clamp(min=CELL_FLOOR_DB), after.clamp(min=CELL_FLOOR_DB)
        heard = torch.maximum(unbent, bent) > CELL_DB
        difference = (bent - unbent) * heard
        rises = torch.nn.functional.pad((unbent[..., 1:] - unbent[..., :-1]).clamp(min=0).mean(-2), (1, 0))
        limits = torch.quantile(rises[..., 1:].flatten(), torch.tensor([STEADY, ATTACKS]))
        moments = (rises >= limits[1], rises <= limits[0], torch.ones_like(rises, dtype=torch.bool))
        for array, cells in ((sums, difference.abs()), (counts, heard)):
            of_bands = (_band_weights().float() @ cells.float()).movedim(-2, 0).flatten(1).sum(1)
            of_moments = [(cells.float().sum(-2) * moment).sum() for moment in moments]
            array += torch.stack([*of_bands, *of_moments]).numpy()
        signed += float(difference.sum())
    means = sums / np.maximum(counts, 1)
    *_, attacks, steady, whole = means.tolist()
    return Profile(means[: len(BANDS)], attacks, steady, whole, signed / max(counts[-1], 1))


def _ratio_db(after: Array, before: Array, where: NDArray[np.bool_], floor: float) -> float:
    if not where.any():
        return 0.0
    return float(10 * np.log10((after[where].mean() + floor) / (before[where].mean() + floor)))


def _width_db(heard: Heard, where: NDArray[np.bool_], floor: float) -> float:
    if not heard.side.any():
        return 0.0
    return float(10 * np.log10((heard.side[where].mean() + floor) / (heard.mid[where].mean() + floor)))


def _joined(bands: Tensor) -> Array:
    """Lay leading axes one after the other in time: ``(..., band, column)`` to ``(band, column)``."""
    return np.asarray(bands.movedim(-2, 0).flatten(1).numpy())


@cache
def _band_weights() -> Tensor:
    hertz = torch.arange(N_BINS, dtype=torch.float64) * SAMPLE_RATE / N_FFT
    return torch.stack([((hertz >= low) & (hertz < high)).double() for low, high in BANDS.values()])


@cache
def _mel_weights() -> Tensor:
    import librosa

    return torch.from_numpy(librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS, norm=None)).double()
