"""The whole of an exported file: blocks of sound in, blocks of bent sound out, with nothing but torch.

It does what `audiobend.live_engine` does, sample for sample. All that it remembers lies in buffers and numbers of the
module; `reset` brings the first sample back.
"""

import torch
from torch import Tensor, nn

from audiobend.export.latent_ends import Decoding, Encoding
from audiobend.export.movement import Movement
from audiobend.export.network import BentNetwork
from audiobend.export.output import Output
from audiobend.export.sliding import Sliding
from audiobend.export.slots import Slots
from audiobend.networks.model import Model
from audiobend.spectral.guard import LIMITER_DELAY, LOUDEST_SAMPLE
from audiobend.spectral.live_settings import LiveSettings
from audiobend.spectral.stft import HOP_LENGTH


class Stream(nn.Module):
    """Bent sound at the model's sample rate, in blocks of any length.

    Attributes
    ----------
    latency : int
        Samples, exact: sample n of what `forward` returns belongs to sample ``n - latency`` of what it was given.
    values : list of float
        Every number of the patch; `Slots` says what stands where.
    """

    values: list[float]
    forward_params: Tensor
    encode_params: Tensor
    decode_params: Tensor
    input: Tensor
    ready: Tensor
    wet: Tensor

    def __init__(
        self, model: Model, settings: LiveSettings, network: BentNetwork, movement: Movement, slots: Slots
    ) -> None:
        super().__init__()
        n, rate = settings.n_channels, model.codec.sample_rate
        self.n_channels, self.stride, self.sample_rate = n, settings.stride, rate
        self.hop_length, self.latency, self.delay = HOP_LENGTH, settings.latency, LIMITER_DELAY
        self.loudest_sample, self.ratio = LOUDEST_SAMPLE, settings.stride * HOP_LENGTH
        self.values = list(slots.values)
        self.mix, self.gain, self.limiter = (slots[f"output/{name}"] for name in ("mix", "gain_db", "limiter"))
        self.sliding = Sliding(
            settings, model.codec, network, movement, slots["output/detail"], slots["output/match_level"]
        )
        self.output = Output(n, rate, self.latency)
        self.encoding = Encoding(model, settings)
        self.decoding = Decoding(model, settings)
        self.register_buffer("input", torch.zeros(n, self.ratio))
        self.register_buffer("ready", torch.zeros(n, HOP_LENGTH))
        self.register_buffer("wet", torch.zeros(n, self.ratio))
        self.n_filled, self.n_hops = 0, 0
        n_axes = self.encoding.n_axes
        self.register_buffer("forward_params", torch.tensor([n, 1, n, 1]))
        self.register_buffer("encode_params", torch.tensor([n, 1, n_axes, self.ratio]))
        self.register_buffer("decode_params", torch.tensor([n_axes, self.ratio, n, 1]))

    @torch.jit.export
    def reset(self) -> None:
        """Start at sample 0 again; values stay."""
        self.sliding.reset()
        self.sliding.movement.reset()
        self.output.reset()
        self.encoding.reset()
        self.decoding.reset()
        self.input, self.ready = torch.zeros_like(self.input), torch.zeros_like(self.ready)
        self.wet = torch.zeros_like(self.wet)
        self.n_filled, self.n_hops = 0, 0

    @torch.jit.export
    def set_value(self, slot: int, value: float, low: float, high: float) -> int:
        """Set one of the values, held within its range; return 0, or -1 where it is no number."""
        # Older torch fails at isnan in compiled code, and compiles `value != value` to False.
        if not (value <= low or value > low):
            return -1
        self.values[slot] = min(max(value, low), high)
        return 0

    @torch.jit.export
    def get_latency(self) -> int:
        """Return the latency of `forward` in samples at the model's rate."""
        return self.latency

    @torch.jit.export
    def get_sample_rate(self) -> int:
        """Return the sample rate in Hz that the file is made for."""
        return self.sample_rate

    @torch.jit.export
    def check(self, x: Tensor, n_channels: int) -> Tensor:
        """Return one item of a batch, ``(channel, time)``, with numbers within reason."""
        if x.dim() != 3 or x.shape[0] != 1 or x.shape[1] != n_channels:
            raise ValueError(f"a block must be (1, {n_channels}, time), got {x.shape}")
        clean = torch.nan_to_num(x[0], 0.0, 0.0, 0.0)
        return clean.clamp(-self.loudest_sample, self.loudest_sample).to(torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Take a block ``(1, channel, time)`` of any length, return as many samples, `latency` later."""
        samples = self.check(x, self.n_channels)
        parts: list[Tensor] = []
        done, n = 0, samples.shape[1]
        while done < n:
            taken = min(self.hop_length - self.n_filled, n - done)
            self.input = torch.cat([self.input[:, taken:], samples[:, done : done + taken]], dim=1)
            parts.append(self.ready[:, self.n_filled : self.n_filled + taken])
            self.n_filled += taken
            done += taken
            if self.n_filled == self.hop_length:
                self.n_filled = 0
                self.ready = self.hop()
        return torch.cat(parts, dim=1).unsqueeze(0) if len(parts) > 0 else x

    @torch.jit.export
    def hop(self) -> Tensor:
        """Work on the hop that has come in; return the one that goes out."""
        self.n_hops += 1
        position = self.n_hops % self.stride
        if position == 0:
            self.sliding.movement.hear(self.input)
            wet: Tensor = self.sliding(self.input, self.values, self.n_hops)
            self.wet = self.output.check(wet)
        wet = self.wet[:, position * self.hop_length : (position + 1) * self.hop_length]
        first = self.hop_length * self.n_hops - self.latency + self.delay
        start: list[float] = self.sliding.movement(self.values, max(0.0, first / self.sample_rate))
        end: list[float] = self.sliding.movement(self.values, max(0.0, (first + self.hop_length) / self.sample_rate))
        mix = (self.values[self.mix], start[self.mix], end[self.mix])
        gain = (self.values[self.gain], start[self.gain], end[self.gain])
        new = self.input[:, -self.hop_length :]
        out: Tensor = self.output(wet, new, mix, gain, self.values[self.limiter] != 0)
        return out

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        """Take ``(1, channel, time)``, whole strides of it; return places on the latent axes ``(1, axis, stride)``."""
        samples = self.check(x, self.n_channels).mean(0, keepdim=True)
        if samples.shape[1] % self.ratio != 0:
            raise ValueError(f"encode needs whole blocks of {self.ratio} samples, got {samples.shape[1]}")
        codes: list[Tensor] = []
        for block in range(samples.shape[1] // self.ratio):
            part = samples[:, block * self.ratio : (block + 1) * self.ratio]
            normal: Tensor = self.encoding.window(part)
            moved: list[float] = self.sliding.movement(self.values, self.encoding.seconds())
            z = self.sliding.network.encode(normal, moved, self.encoding.n_calls)
            codes.append(self.encoding.places(z))
        return torch.stack(codes, dim=2) if len(codes) > 0 else x[:, :1, :0].expand(1, self.encoding.n_axes, 0)

    @torch.jit.export
    def decode(self, x: Tensor) -> Tensor:
        """Take places on the latent axes ``(1, axis, stride)``; return their sound ``(1, channel, time)``."""
        if x.dim() != 3 or x.shape[0] != 1 or x.shape[1] != self.encoding.n_axes:
            raise ValueError(f"a block must be (1, {self.encoding.n_axes}, time), got {x.shape}")
        places = torch.nan_to_num(x, 0.0, 0.0, 0.0).to(torch.float32)
        parts: list[Tensor] = []
        for stride in range(places.shape[2]):
            z: Tensor = self.decoding.code(places[:, :, stride])
            moved: list[float] = self.sliding.movement(self.values, self.decoding.seconds())
            columns = self.sliding.network.decode(z, moved, self.decoding.n_calls)
            gain_db = moved[self.gain]
            sound: Tensor = self.decoding(columns, gain_db)
            parts.append(sound)
        if len(parts) == 0:
            return x[:, :1, :0].expand(1, self.n_channels, 0)
        return torch.cat(parts, dim=1).expand(self.n_channels, -1).unsqueeze(0).clone()
