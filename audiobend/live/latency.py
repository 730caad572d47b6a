"""How long sound is under way, in parts: all of it computed, none of it guessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from audiobend.live.resampling import QuickResampler
from audiobend.live.rings import FADE

CUSHION = {"low": 192, "balanced": 1024, "studio": 4096}
"""Samples at the model's rate by which the engine is ahead of the card, besides the card's own block."""


@dataclass(frozen=True)
class Latency:
    """What lies between a sound and its bent self.

    Attributes
    ----------
    rate : int
        Of the sound card, Hz.
    engine : mapping of str to int
        Samples at the model's rate, by part (`LiveEngine.latency_parts`).
    model_rate : int, Hz
    cushion : int
        Samples at the card's rate, see `CUSHION`.
    block : int
        Samples in a block of the card.
    card_seconds : float
        What the card and its driver add in both directions, as far as PortAudio can tell.

    Examples
    --------
    >>> latency = Latency(44100, {"frame": 768, "buffering": 2048}, 44100, cushion=1024, block=512)
    >>> latency.engine_samples, latency.delay
    (2816, 4416)
    """

    rate: int
    engine: Mapping[str, int]
    model_rate: int
    cushion: int
    block: int
    card_seconds: float = 0.0

    @property
    def engine_samples(self) -> int:
        """Samples at the card's rate that the engine takes; a part of one is made up for by `Chain`."""
        return sum(self.engine.values()) * self.rate // self.model_rate

    @property
    def held(self) -> int:
        """Samples at the card's rate that wait inside the resamplers."""
        return held_samples(self.rate, self.model_rate)

    @property
    def delay(self) -> int:
        """Samples from a position of the input ring to the same sound in the output ring."""
        return self.engine_samples + self.held + self.cushion + FADE + self.block

    def parts(self) -> dict[str, float]:
        """Return the parts in ms, in the order in which sound passes them."""
        engine = {name: 1000 * samples / self.model_rate for name, samples in self.engine.items()}
        ours = {"resampling": self.held, "cushion": self.cushion + FADE, "device": self.block}
        parts = engine | {name: 1000 * samples / self.rate for name, samples in ours.items()}
        parts["device"] += 1000 * self.card_seconds
        return {name: ms for name, ms in parts.items() if ms > 0}

    @property
    def total_ms(self) -> float:
        """Everything together, in ms."""
        return sum(self.parts().values())


def held_samples(card_rate: int, model_rate: int) -> int:
    """Return the most samples, at the card's rate, that wait in the resamplers there and back."""
    if card_rate == model_rate:
        return 0
    there, back = QuickResampler(card_rate, model_rate, 1), QuickResampler(model_rate, card_rate, 1)
    # Besides what each holds, up to one sample of the lower rate is not yet due on each way.
    return there.held + ceil((back.held + 1) * card_rate / model_rate) + ceil(max(1.0, card_rate / model_rate))


def cushion_samples(profile: str, stride: int, milliseconds: float | None, card_rate: int, model_rate: int) -> int:
    """Return the cushion at the card's rate: as given in ms, or what suits the profile and the stride in columns."""
    if milliseconds is not None:
        return round(milliseconds * card_rate / 1000)
    usual = {"low": 4, "balanced": 8, "studio": 16}[profile]
    return ceil(CUSHION[profile] * max(1.0, stride / usual) * card_rate / model_rate)
