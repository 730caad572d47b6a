"""From samples and bins to the page's 128 bands, as bytes. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

N_BANDS = 128
LOWEST, HIGHEST = 40.0, 16000.0
"""Hz: the first band's centre and the last one's; bands are as far apart as notes."""
FLOOR_DB = -90.0
MOST_CHANGE_DB = 24.0
N_BINS = 513
"""Of the network's columns."""

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def n_fft_of(rate: int) -> int:
    """Return the length of a frame: about 23 ms, a power of two.

    >>> n_fft_of(44100), n_fft_of(48000), n_fft_of(96000)
    (1024, 1024, 2048)
    """
    return 1024 << max(0, round(math.log2(rate / 44100)))


def band_weights(n_bins: int, bin_hz: float) -> Floats:
    """Return how much each bin counts in each band, ``(band, bin)``, each row one in all.

    A band reaches from its lower neighbour's centre to its upper one's, and at least one bin either way.
    """
    centres = np.geomspace(LOWEST, HIGHEST, N_BANDS) / bin_hz
    below, above = np.r_[centres[0] - 1, centres[:-1]], np.r_[centres[1:], centres[-1] + 1]
    reach_below, reach_above = np.maximum(centres - below, 1.0), np.maximum(above - centres, 1.0)
    distance = np.arange(n_bins)[None] - centres[:, None]
    share = np.where(distance < 0, 1 + distance / reach_below[:, None], 1 - distance / reach_above[:, None])
    share = np.maximum(share, 0.0)
    # Beyond the last bin there is only the last bin.
    share[share.sum(axis=1) == 0, -1] = 1.0
    weights: Floats = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights


class Analyser:
    """Frames of sound to columns of bytes: 0 is -90 dB, 255 is a sine of full scale.

    Parameters
    ----------
    rate : int, Hz
    """

    def __init__(self, rate: int) -> None:
        self.n_fft = n_fft_of(rate)
        # Rows that sum to one would average; a sine must read the same in a wide band, so that bands add up power.
        weights = band_weights(self.n_fft // 2 + 1, rate / self.n_fft)
        self._weights = (weights / weights.max(axis=1, keepdims=True)).T.copy()
        window = np.hanning(self.n_fft + 1)[:-1]
        self._window = (window * 2 / window.sum()).astype(np.float32)

    def columns(self, frames: Floats) -> Bytes:
        """Return a column for each frame, ``(column, channel, n_fft)`` to ``(column, 128)``: of the louder channel."""
        spectrum = np.fft.rfft(frames * self._window)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32).max(axis=1)
        db = 10 * np.log10(power @ self._weights + 1e-12)
        scaled: Bytes = np.clip((db - FLOOR_DB) * (255 / -FLOOR_DB), 0, 255).astype(np.uint8)
        return scaled


def level_db(samples: Floats) -> tuple[float, float]:
    """Return the level (RMS, 0 dB is a full sine) and the peak of samples ``(time, channel)``, in dB."""
    if not samples.size:
        return -120.0, -120.0
    mean = float(np.sqrt(2 * np.mean(np.square(samples), axis=0).max()))
    peak = float(np.abs(samples).max())
    return 20 * float(np.log10(max(mean, 1e-6))), 20 * float(np.log10(max(peak, 1e-6)))
