"""Renders and measures bends of one sound; what they share is worked out once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from audiobend.bending import Patch
from audiobend.clustering.catalog.entries import Entry
from audiobend.clustering.catalog.measuring import Measured, Ruler
from audiobend.clustering.catalog.subject import Subject
from audiobend.clustering.catalog.thumbnail import Painter
from audiobend.clustering.trunk import Trunk
from audiobend.engine import Engine, Settings
from audiobend.networks.model import Model
from audiobend.spectral.level import LoudestBin
from audiobend.spectral.stft import fit
from audiobend.streams import limited, through


@dataclass(frozen=True)
class Made:
    """A bend's sound ``(channel, time)``, figures, and picture (PNG in base64)."""

    waveform: Tensor
    measured: Measured
    picture: str


class Workshop:
    """Makes the entries of a catalog.

    The sound of an entry is that of `audiobend.render` at "fast" quality. Entries of one layer should come one after
    the other: the maps that lead up to the bent layer are kept.
    """

    def __init__(self, model: Model, subject: Subject, seed: int = 0) -> None:
        self.model, self.subject, self.seed = model, subject, seed
        meter = LoudestBin(len(subject.samples))
        meter.feed(subject.samples)
        self._reference = meter.flush()
        self._trunk = Trunk(model)
        self.unbent = self.render(Patch(seed=seed))
        self._ruler, self.painter = Ruler(self.unbent), Painter(self.unbent)

    def make(self, entry: Entry) -> Made:
        """Render and measure one entry."""
        waveform = self.render(Patch(seed=self.seed, bends=(entry.bend,)))
        return Made(waveform, self._ruler.measure(waveform), self.painter.picture(waveform))

    def render(self, patch: Patch) -> Tensor:
        """Return the subject bent by a patch without bent kernels, ``(channel, time)``."""
        samples, plan = self.subject.samples, self.model.resolve(patch)
        settings = Settings(quality="fast", seed=self.seed)
        engine = Engine(self.model, plan, len(samples), self._reference, settings, self._trunk)
        bent = through(engine, [samples])
        if plan.patch.output.limiter:
            bent = limited(bent, self.model.codec.sample_rate, len(samples))
        return fit(torch.cat(list(bent), dim=-1), samples.shape[-1])
