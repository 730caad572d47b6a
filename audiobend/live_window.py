"""The window that slides over a performance: a stride of samples in, a stride of bent samples out.

Decibels are relative to the loudest bin that the last ten seconds or so have heard, which is the network's 0 dB, and
counted from magnitude 1 wherever they last longer than one window.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from audiobend.bending import Plan
from audiobend.networks.backends import Backend
from audiobend.networks.model import Model
from audiobend.networks.staged_backend import StagedBackend
from audiobend.networks.stages import Eye
from audiobend.spectral.codec import FLOOR_DB
from audiobend.spectral.detail import give_back
from audiobend.spectral.follow import Glide, LoudestFollower
from audiobend.spectral.guard import Samples
from audiobend.spectral.level import LevelMatch, on_loud_bins
from audiobend.spectral.live_settings import LiveSettings
from audiobend.spectral.sliding import SILENT_DB, CrossFade, SlidingAnalysis, SlidingSynthesis
from audiobend.spectral.stft import HOP_LENGTH, N_FFT

FULL_SCALE_DB = 54.2
"""Magnitude of a bin that is full of constant full scale."""


@dataclass(frozen=True)
class Prepared:
    """A patch ready to be played: everything slow is done.

    ``values`` is the plan with the output values (mix, detail, gain) that count; the network runs by ``plan``.
    """

    model: Model
    backend: Backend
    plan: Plan
    values: Plan


class Onlooker(Eye, Protocol):
    """Sees what goes on in a window; it keeps nothing of it and changes nothing."""

    @property
    def looks(self) -> bool:
        """Whether it wants to see the next stride."""
        ...

    def columns(self, now: "Prepared", bent_db: Tensor, unbent_db: Tensor, first: int) -> None:
        """See the kept columns, last of a stride.

        Parameters
        ----------
        now : Prepared
            What was played.
        bent_db, unbent_db : Tensors of shape ``(channel, stride, 513)``
        first : int
            Sample of the input at the middle of the first column.
        """
        ...


class SlidingWindow:
    """Analysis, network, and synthesis of one stride after the other."""

    def __init__(self, settings: LiveSettings, sample_rate: int) -> None:
        self._stride, self._look_ahead, self._rate = settings.stride, settings.look_ahead, sample_rate
        self._analysis = SlidingAnalysis(settings.n_channels, settings.stride, settings.look_ahead)
        self._loudest = LoudestFollower(sample_rate)
        self._bent, self._unbent = (CrossFade(settings.stride, settings.look_ahead) for _ in range(2))
        self._synthesis = SlidingSynthesis(
            settings.n_channels, settings.phase_look_ahead if settings.phase == "rtisi" else None
        )
        self.onlooker: Onlooker | None = None
        self.difference = False
        self.reset()

    @property
    def columns(self) -> slice:
        """The columns of a window that are used."""
        return self._bent.span

    def reset(self) -> None:
        """Forget all sound."""
        for part in (self._analysis, self._loudest, self._bent, self._unbent, self._synthesis):
            part.reset()
        self._level = LevelMatch()
        self._detail = Glide(n_steps=1)
        self._n_hops = 0

    @torch.inference_mode()
    def feed(self, samples: Tensor, now: Prepared, n_hops: int) -> Samples:
        """Take a stride of samples, ``n_hops`` after the start with the last of them; return a stride of wet ones."""
        self._n_hops = n_hops
        columns = self._analysis.feed(samples)
        loudest = float(columns.window_db.amax())
        reference_db = 20 * math.log10(self._loudest.feed(10 ** (loudest / 20), self._stride))
        bent_db, unbent_db = self._reconstruct(now, columns.window_db, reference_db)
        magnitude = self._magnitude(now, columns.kept_db, bent_db, unbent_db, reference_db)
        return self._synthesis.feed(magnitude, columns.spectrum, self._n_hops).numpy()

    def _reconstruct(self, now: Prepared, window_db: Tensor, reference_db: float) -> tuple[Tensor, Tensor]:
        """Return the kept columns, bent and unbent, ``(channel, stride, 513)`` in dB of magnitude 1."""
        codec = now.model.codec
        x = codec.normalise((window_db - reference_db).clamp_(FLOOR_DB, 0.0).mT).mT[:, None]
        middle = self._seconds(torch.tensor([(self._stride - 1) / 2])).expand(len(x))
        eye = self.onlooker if self.onlooker is not None and self.onlooker.looks else None
        if isinstance(now.backend, StagedBackend):
            now.backend.eye = eye
        bent, unbent = now.backend.reconstruct(x, now.plan, middle, self._n_hops // self._stride, self.columns)

        def decibels(windows: Tensor) -> Tensor:
            db = codec.denormalise(windows[:, 0].mT).mT
            finite = torch.nan_to_num(db, nan=SILENT_DB, posinf=20.0, neginf=SILENT_DB)
            return finite.clamp_(SILENT_DB, 20.0) + reference_db

        unbent_db = decibels(unbent)
        bent_db = unbent_db if bent is unbent else decibels(bent)
        kept = self._bent.feed(bent_db), self._unbent.feed(unbent_db)
        if eye is not None:
            eye.columns(now, *kept, self._first * HOP_LENGTH)
        return kept

    def _magnitude(
        self, now: Prepared, input_db: Tensor, bent_db: Tensor, unbent_db: Tensor, reference_db: float
    ) -> Tensor:
        """Return the magnitudes to be heard, ``(channel, stride, 513)``: with level and detail given back."""
        bent, unbent, given = ((db - reference_db).mT for db in (bent_db, unbent_db, input_db))
        out, restored, floor = give_back(bent, unbent, given, self._detail_of_columns(now.values))
        if now.values.patch.output.match_level:
            # Loudness is remembered, so it is counted from a 0 dB that stays where it is.
            fixed = reference_db - FULL_SCALE_DB
            gain_db = self._level.feed(given + fixed, restored + fixed)
            out, restored = (db + on_loud_bins(gain_db, db) for db in (out, restored))
        codec, reference = now.model.codec, 10 ** (reference_db / 20)
        magnitude = codec.to_magnitude(out, reference, floor).mT
        if self.difference:
            magnitude = (magnitude - codec.to_magnitude(restored, reference, floor).mT).abs()
        return magnitude

    def _detail_of_columns(self, plan: Plan) -> Tensor:
        """Return how much detail each kept column gets back, ``(stride,)``."""
        n = self._stride
        value = plan.value("output/detail", self._seconds(torch.arange(-1, n)))
        wanted = torch.as_tensor(value, dtype=torch.float32).expand(n + 1)
        start, end = float(wanted[0]), float(wanted[-1])
        before, after = self._detail.step((plan.patch.output.detail, plan.patch.modulation), start, end)
        return wanted[1:] + torch.linspace(before - start, after - end, n + 1)[1:]

    def _seconds(self, column: Tensor) -> Tensor:
        """Return the times in the input of kept columns, counted from the first of them."""
        return ((self._first + column.double()) * HOP_LENGTH / self._rate).clamp_(min=0)

    @property
    def _first(self) -> int:
        """The first kept column, counted from the start."""
        newest = self._n_hops - N_FFT // HOP_LENGTH // 2    # whose frame has just ended
        return newest - self._look_ahead - self._stride + 1
