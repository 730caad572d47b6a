"""The two halves by themselves: sound to places on the latent axes, and places to sound.

Places are along the principal axes of the code over the training music, the most audible first, one unit being one
standard deviation; what lies off those axes is left out.
"""

import torch
from torch import Tensor, nn

from audiobend.export.analysis import Analysis, CrossFade, Loudest
from audiobend.export.output import Limiter
from audiobend.export.sliding import Codec
from audiobend.export.synthesis import Synthesis
from audiobend.networks.model import Model
from audiobend.spectral.codec import FLOOR_DB
from audiobend.spectral.live_settings import LiveSettings
from audiobend.spectral.stft import HOP_LENGTH, N_BINS

N_AXES = 16
DECODED_DB = 40.0
"""Magnitude of 0 dB where no input says how loud: its loudest bin is that of a sine of -8 dB."""


class Encoding(nn.Module):
    """A stride of mono samples to a window for the encoder, and its code to places."""

    axes: Tensor

    def __init__(self, model: Model, settings: LiveSettings) -> None:
        super().__init__()
        axes = model.latent_axes[:N_AXES]
        self.n_axes, self.stride, self.n_calls = len(axes), settings.stride, 0
        self.rate, self.hop_length = model.codec.sample_rate, HOP_LENGTH
        self.codec = Codec(model.codec)
        self.analysis = Analysis(1, settings.stride, settings.look_ahead)
        self.loudest = Loudest(model.codec.sample_rate, settings.stride)
        self.register_buffer("axes", (axes / axes.square().sum(1, keepdim=True)).mT.contiguous())

    @torch.jit.export
    def reset(self) -> None:
        """Forget all sound."""
        self.analysis.reset()
        self.loudest.reset()
        self.n_calls = 0

    @torch.jit.export
    def seconds(self) -> float:
        """Return the time that was heard."""
        return self.n_calls * self.stride * self.hop_length / self.rate

    @torch.jit.export
    def window(self, samples: Tensor) -> Tensor:
        """Take ``(1, 256 * stride)`` samples; return what the network sees, ``(1, 1, 128, 513)``."""
        self.n_calls += 1
        columns: tuple[Tensor, Tensor, Tensor] = self.analysis(samples)
        reference_db: float = self.loudest(columns[0])
        out: Tensor = self.codec.normalise(columns[0] - reference_db)
        return out

    @torch.jit.export
    def places(self, z: Tensor) -> Tensor:
        """Return places ``(1, axis)`` of a code ``(1, latent)``."""
        return z @ self.axes

    def forward(self, z: Tensor) -> Tensor:
        """Return `places`."""
        return self.places(z)


class Decoding(nn.Module):
    """Places to a code, and the network's columns to samples: phases are found, because no input has any."""

    axes: Tensor

    def __init__(self, model: Model, settings: LiveSettings) -> None:
        super().__init__()
        self.stride, self.n_calls, self.hop_length = settings.stride, 0, HOP_LENGTH
        self.rate, self.floor_db, self.reference_db = model.codec.sample_rate, FLOOR_DB, DECODED_DB
        look_ahead = LiveSettings(settings.stride, settings.look_ahead, "rtisi").phase_look_ahead
        self.codec = Codec(model.codec)
        self.fade = CrossFade(1, settings.stride, settings.look_ahead)
        self.synthesis = Synthesis(1, settings.stride, look_ahead)
        self.limiter = Limiter(1)
        self.register_buffer("axes", model.latent_axes[:N_AXES].clone())
        self.register_buffer("no_phase", torch.zeros(1, settings.stride, N_BINS, dtype=torch.complex64))

    @torch.jit.export
    def reset(self) -> None:
        """Forget all sound."""
        self.fade.reset()
        self.synthesis.reset()
        self.limiter.reset()
        self.n_calls = 0

    @torch.jit.export
    def seconds(self) -> float:
        """Return the time that was played."""
        return self.n_calls * self.stride * self.hop_length / self.rate

    @torch.jit.export
    def code(self, places: Tensor) -> Tensor:
        """Return the code ``(1, latent)`` at places ``(1, axis)``."""
        self.n_calls += 1
        return places @ self.axes

    def forward(self, columns: Tensor, gain_db: float) -> Tensor:
        """Take the network's columns ``(1, 1, column, 513)``; return ``(1, 256 * stride)`` samples."""
        db: Tensor = self.fade(self.codec.decibels(columns))
        floor = torch.full_like(db, self.floor_db)
        magnitude = self.codec.magnitude(db, self.reference_db + gain_db, floor)
        wet: Tensor = self.synthesis(magnitude, self.no_phase, self.n_calls)
        parts: list[Tensor] = []
        for hop in range(self.stride):
            one: Tensor = self.limiter(wet[:, hop * self.hop_length : (hop + 1) * self.hop_length])
            parts.append(one)
        return torch.cat(parts, dim=1)
