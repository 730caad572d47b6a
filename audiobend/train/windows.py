"""Random training windows: which track, where in it, how loud, and what is laid over it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiobend.errors import TrainingError, did_you_mean
from audiobend.networks.spectrogram_vae import N_BINS, WINDOW
from audiobend.spectral.codec import FLOOR_DB
from audiobend.train.tracks import Track

Window = NDArray[np.float32]
TILT_TERMS = 3


@dataclass(frozen=True)
class Augmentation:
    """What is changed about windows at random; all of it leaves time and pitch as they are.

    Attributes
    ----------
    level_db : (float, float)
        Range of the level in dB, because live sound never sits exactly at 0 dB. (0, 0) leaves it.
    mix : float in 0..1
        Probability that a second window is laid over the first (power sum of the magnitudes).
    tilt_db : float >= 0
        Strength of a random smooth equaliser over log frequency: ``tilt_db * (a cos(pi u) + b cos(2 pi u) / 2 +
        c cos(3 pi u) / 3)``, where u goes from 0 at 43 Hz to 1 at 22 kHz and a, b, c are drawn from -1..1.
    """

    level_db: tuple[float, float] = (-12.0, 3.0)
    mix: float = 0.0
    tilt_db: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.level_db
        if not -60 <= low <= high <= 20:
            raise TrainingError(f"level_db must be a low and a high level in -60..20 dB, got {low:g} and {high:g}")
        if not 0 <= self.mix <= 1:
            raise TrainingError(f"mix is a probability in 0..1, got {self.mix:g}")
        if not 0 <= self.tilt_db <= 24:
            raise TrainingError(f"tilt_db must be in 0..24 dB, got {self.tilt_db:g}")


class _Choices(NamedTuple):
    """What was drawn for a batch; the second of each pair is of the window laid over the first."""

    track: NDArray[np.int64]      # (batch, 2)
    place: NDArray[np.float64]    # (batch, 2), 0..1
    level: NDArray[np.float64]    # (batch, 2), dB
    mixed: NDArray[np.bool_]      # (batch,)
    tilt: NDArray[np.float64]     # (batch, 3), -1..1


class WindowSampler:
    """Endless batches of random windows ``(batch, 1, 128, 513)`` of dB; the same seed gives the same batches.

    Tracks are drawn by the root of their length, so that one long recording does not drown the rest.

    Parameters
    ----------
    tracks : sequence of Track
    batch_size : int > 0
        Windows of a whole batch, over all processes.
    seed : int
    weights : mapping of str to float in 0..1
        Share of all windows for the tracks whose folder or name holds these words, as `matching_weight` decides.
        What is left of 1 goes to all other tracks.
    augmentation : Augmentation
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        batch_size: int,
        seed: int,
        weights: Mapping[str, float] | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.tracks, self.batch_size = list(tracks), batch_size
        self.augmentation = augmentation or Augmentation()
        self.probability = probabilities(self.tracks, weights or {})
        self.random = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[Tensor]:
        while True:
            yield self.batch()

    @property
    def state(self) -> dict[str, Any]:
        """Where the random numbers stand; a sampler that is given it goes on with the same windows."""
        return dict(self.random.bit_generator.state)

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.random.bit_generator.state = state

    def copy(self) -> "WindowSampler":
        """Return a sampler that will draw the same windows and leaves this one where it stands."""
        twin = object.__new__(type(self))
        twin.__dict__ |= self.__dict__
        twin.random = np.random.default_rng()
        twin.state = self.state
        return twin

    def __deepcopy__(self, _memo: dict[int, Any]) -> "WindowSampler":
        return self.copy()    # never the tracks, which may be hours long

    def batch(self, part: tuple[int, int] = (0, 1)) -> Tensor:
        """Draw a batch.

        Parameters
        ----------
        part : (int, int)
            ``(rank, n_ranks)``: draw what every process draws, and build this one's windows only, ``(batch / n_ranks,
            1, 128, 513)``. The ranks' windows joined are what one process would have got.
        """
        rank, n_ranks = part
        if self.batch_size % n_ranks:
            raise TrainingError(
                f"{n_ranks} processes cannot share a batch of {self.batch_size} evenly; "
                f"a batch of {max(1, round(self.batch_size / n_ranks)) * n_ranks} can be"
            )
        choices, size = self._draw(), self.batch_size // n_ranks
        windows = [self._build(choices, index) for index in range(rank * size, (rank + 1) * size)]
        return torch.from_numpy(np.stack(windows))[:, None]

    def _draw(self) -> _Choices:
        """Draw the same number of random values whatever the augmentation, so that it alone makes a difference."""
        pairs, random = (self.batch_size, 2), self.random
        return _Choices(
            track=random.choice(len(self.tracks), pairs, p=self.probability),
            place=random.random(pairs),
            level=random.uniform(*self.augmentation.level_db, pairs),
            mixed=random.random(self.batch_size) < self.augmentation.mix,
            tilt=random.uniform(-1, 1, (self.batch_size, TILT_TERMS)),
        )

    def _build(self, choices: _Choices, index: int) -> Window:
        window = self._window(choices, index, 0)
        if choices.mixed[index]:
            window = power_sum(window, self._window(choices, index, 1))
        if self.augmentation.tilt_db:
            window = louder(window, self.augmentation.tilt_db * (choices.tilt[index] @ _tilt_curves()))
        return window

    def _window(self, choices: _Choices, index: int, which: int) -> Window:
        columns = self.tracks[choices.track[index, which]].columns
        start = int(choices.place[index, which] * (len(columns) - WINDOW + 1))
        window = np.asarray(columns[start : start + WINDOW], dtype=np.float32)
        return louder(window, choices.level[index, which])


def louder(window: Window, gain_db: Any) -> Window:
    """Return dB with a gain, a number or one per bin; silence stays silence whatever the gain."""
    louder = np.maximum(window + np.asarray(gain_db, dtype=np.float32), FLOOR_DB)
    return np.where(window <= FLOOR_DB, np.float32(FLOOR_DB), louder)


def power_sum(a: Window, b: Window) -> Window:
    """Return the dB of two sounds heard together, if their phases have nothing to do with each other.

    >>> power_sum(np.float32([0, -80]), np.float32([0, -80])).round(1).tolist()
    [3.0, -80.0]
    """
    total = 10 * np.log10(10 ** (a / 10) + 10 ** (b / 10))
    return np.where((a <= FLOOR_DB) & (b <= FLOOR_DB), np.float32(FLOOR_DB), total.astype(np.float32))


def probabilities(tracks: Sequence[Track], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return how likely each track is drawn: by the root of its length, among those that share a weight."""
    weight = np.sqrt([track.seconds for track in tracks])
    group = np.array([matching_weight(track, weights) or "" for track in tracks])
    shares = {words: share for words, share in weights.items() if (group == words).any()}
    for words in weights.keys() - shares.keys():
        known = [track.name for track in tracks] + sorted({track.folder for track in tracks})
        raise TrainingError(f"--weight {words}: no track's folder or name holds this{did_you_mean(words, known)}")
    if "" in group:
        shares[""] = 1 - sum(weights.values())
    for words, share in shares.items():
        weight[group == words] *= share / weight[group == words].sum()
    if not weight.sum() > 0:
        raise TrainingError("the weights leave no track to train on; give one of them more than 0")
    return np.asarray(weight / weight.sum())


def matching_weight(track: Track, weights: Mapping[str, float]) -> str | None:
    """Return the first of the weights whose words stand in the track's folder or name."""
    place = f"{track.folder}/{track.name}".lower()
    return next((words for words in weights if words.lower() in place), None)


def read_weights(words: Sequence[str]) -> dict[str, float]:
    """Read ``WORDS=SHARE`` as a command line gives it.

    >>> read_weights(["berklee=0.25", "field recordings=0.5"])
    {'berklee': 0.25, 'field recordings': 0.5}
    """
    weights = {}
    for word in words:
        name, _, share = word.rpartition("=")
        try:
            weights[name] = float(share)
        except ValueError:
            weights[name] = math.nan
        if not name or not 0 <= weights[name] <= 1:
            raise TrainingError(f"--weight {word}: needs WORDS=SHARE with a share in 0..1, such as drums=0.25")
    if sum(weights.values()) > 1 + 1e-9:
        raise TrainingError(f"the weights add up to {sum(weights.values()):g}; together they can be 1 at most")
    return weights


def _tilt_curves() -> NDArray[np.float64]:
    """Cosines over log frequency, ``(term, bin)``, the slower the stronger."""
    position = np.log2(np.maximum(np.arange(N_BINS), 1)) / math.log2(N_BINS - 1)
    term = np.arange(1, TILT_TERMS + 1)[:, None]
    return np.asarray(np.cos(np.pi * term * position) / term)
