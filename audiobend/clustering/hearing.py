"""Short passages of real sound, and what a bend makes of them without any phase reconstruction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import torch
from torch import Tensor

from audiobend.bending import Patch, Plan
from audiobend.clustering.descriptors import Heard, Profile, changes, floor_of, hear, profile
from audiobend.clustering.trunk import BATCH, Trunk
from audiobend.errors import AudioError
from audiobend.io.audiofile import probe
from audiobend.io.resampling import StreamResampler
from audiobend.networks.model import Model
from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.level import LEVEL_RANGE_DB, on_loud_bins
from audiobend.spectral.stft import HOP_LENGTH, stft

EXCERPT_SECONDS = 12.0
MARGIN = 16
"""Columns at both ends of a window that are not listened to: the network knows nothing of what lies beyond."""
TRIES = 8
LOUD_ENOUGH = 1e-3
"""A passage without one sample above this (-60 dB of full scale) is passed over."""


@dataclass(frozen=True)
class Passage:
    """Windows of one sound.

    Attributes
    ----------
    path : Path
    spectra : complex Tensor ``(window, channel, 513, 128)``
        One channel where the sound is mono.
    reference : float
        Magnitude of the excerpt's loudest bin, which is 0 dB.
    """

    path: Path
    spectra: Tensor
    reference: float


def passages(
    sounds: Sequence[Path],
    n_sounds: int,
    n_windows: int,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Passage]:
    """Return windows from excerpts of at most ``n_sounds`` files, chosen by the seed; silent ones are passed over.

    Raises
    ------
    AudioError
        If there is no sound, or none of it can be heard.
    """
    if not sounds:
        raise AudioError("there is no sound to listen to; give some sound files")
    random = np.random.default_rng(seed)
    chosen: list[Passage] = []
    for index in random.permutation(len(sounds)):
        passage = _passage(Path(sounds[index]), n_windows, random)
        if passage is not None:
            chosen.append(passage)
            progress(len(chosen) / min(n_sounds, len(sounds)))
        if len(chosen) == n_sounds:
            break
    if not chosen:
        raise AudioError(f"{sounds[0]}: nothing can be heard in it" + (", nor in the others" if sounds[1:] else ""))
    return chosen


def _passage(path: Path, n_windows: int, random: np.random.Generator) -> Passage | None:
    info = probe(path)
    span = max(0.0, info.seconds - EXCERPT_SECONDS)
    for _ in range(TRIES if span else 1):
        start = int(random.uniform(0, span) * info.sample_rate)
        samples = _excerpt(path, start, round(EXCERPT_SECONDS * info.sample_rate))
        if samples.shape[-1] and samples.abs().max() > LOUD_ENOUGH:
            return passage_of(samples, path, n_windows)
    return None


def _excerpt(path: Path, start: int, n: int) -> Tensor:
    """Return samples ``(channel, time)`` at 44.1 kHz."""
    try:
        with sf.SoundFile(path) as file:
            file.seek(start)
            samples = file.read(n, dtype="float32", always_2d=True)
            rate, channels = file.samplerate, file.channels
    except (sf.SoundFileError, RuntimeError):
        raise AudioError(f"{path}: is damaged after {start} samples; take another copy of it") from None
    resampler = StreamResampler(rate, 44100, channels)
    waveform = torch.from_numpy(np.nan_to_num(samples.T, posinf=0.0, neginf=0.0).copy())
    return torch.cat([resampler.feed(waveform), resampler.flush()], dim=-1)


def passage_of(samples: Tensor, path: Path, n_windows: int) -> Passage:
    """Return evenly spaced windows of samples ``(channel, time)`` at 44.1 kHz; too short a sound ends in silence."""
    if len(samples) == 2 and torch.equal(samples[0], samples[1]):
        samples = samples[:1]    # half the work
    missing = WINDOW * HOP_LENGTH - samples.shape[-1]
    spectrum = stft(torch.nn.functional.pad(samples, (0, max(0, missing))))
    n_fit = max(1, min(n_windows, spectrum.shape[-1] // WINDOW))
    starts = np.linspace(0, spectrum.shape[-1] - WINDOW, n_fit).astype(int)
    windows = torch.stack([spectrum[..., start : start + WINDOW] for start in starts])
    return Passage(path, windows, float(spectrum.abs().max()))


class Ear:
    """Listens to bends of passages through the input's phase, which a phase reconstruction would only polish.

    Parameters
    ----------
    model : Model
    passages : sequence of Passage

    Attributes
    ----------
    unbent : list of Tensor ``(window, channel, 513, column)``
        What the network makes of each passage where nothing is bent, in dB.
    unbent_heard : list of Heard
        Its descriptors.
    floors : list of float
        The power that counts as silence in each passage.
    """

    def __init__(self, model: Model, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self._model, self._trunk = model, Trunk(model)
        self._windows = torch.cat([self._normalised(passage) for passage in passages])
        self._gains: list[Tensor] = []
        self._gains = [self._gain(*both) for both in zip(passages, self.decibels(model.resolve(Patch())), strict=True)]
        self.unbent = self.decibels(model.resolve(Patch()))
        spectra = self._spectra(self.unbent)
        self.floors = [floor_of(one) for one in spectra]
        self.unbent_heard = self._hear(spectra)

    def decibels(self, plan: Plan) -> list[Tensor]:
        """Return each passage bent, ``(window, channel, 513, column)`` in dB, without the margins."""
        batches = enumerate(self._windows.split(BATCH))
        bent = [self._trunk.reconstruct(x, plan, call=index)[0] for index, x in batches]
        codec = self._model.codec
        db = codec.denormalise(torch.cat(bent)[:, 0, MARGIN:-MARGIN].mT)
        db = torch.nan_to_num(db, nan=-200.0, posinf=20.0, neginf=-200.0).clamp(-200.0, 20.0)
        sizes = [passage.spectra.shape[0] * passage.spectra.shape[1] for passage in self.passages]
        parts = zip(db.split(sizes), self.passages, strict=True)
        raw = [part.unflatten(0, passage.spectra.shape[:2]) for part, passage in parts]
        if not self._gains:    # the first time, to learn them
            return raw
        # As the engine gives the network's voice the input's level, on loud bins alone.
        return [one + on_loud_bins(gain, one) for one, gain in zip(raw, self._gains, strict=True)]

    def changes(self, bent_db: list[Tensor]) -> dict[str, float]:
        """Return how the descriptors move from the unbent sound to the bent one, mean over passages."""
        bent = self._hear(self._spectra(bent_db))
        found = [changes(*three) for three in zip(self.unbent_heard, bent, self.floors, strict=True)]
        return {name: float(np.mean([one[name] for one in found])) for name in found[0]}

    def profile(self, bent_db: list[Tensor]) -> Profile:
        """Return where and when the bent sound differs from the unbent one."""
        return profile(self.unbent, bent_db)

    def _gain(self, passage: Passage, unbent_db: Tensor) -> Tensor:
        """Return what each window lacks of the input's level, ``(window, 1, 1, 1)`` dB."""
        input_db = self._model.codec.to_db(passage.spectra[..., MARGIN:-MARGIN].abs(), passage.reference)
        power = [(10 ** (db.double() / 10)).sum(dim=(1, 2, 3), keepdim=True) for db in (input_db, unbent_db)]
        return (10 * (power[0] / power[1]).log10()).clamp(*LEVEL_RANGE_DB).float()

    def _normalised(self, passage: Passage) -> Tensor:
        codec = self._model.codec
        columns = codec.normalise(codec.to_db(passage.spectra.abs(), passage.reference))
        return columns.flatten(0, 1).mT[:, None]

    def _spectra(self, decibels: list[Tensor]) -> list[Tensor]:
        codec = self._model.codec
        return [
            torch.polar(codec.to_magnitude(db, passage.reference), passage.spectra[..., MARGIN:-MARGIN].angle())
            for db, passage in zip(decibels, self.passages, strict=True)
        ]

    def _hear(self, spectra: list[Tensor]) -> list[Heard]:
        return [hear(one, floor) for one, floor in zip(spectra, self.floors, strict=True)]
