"""The window that slides over the sound in an exported file; `audiobend.live_window` compiled."""

import math

import torch
from torch import Tensor, nn

from audiobend.export.analysis import Analysis, CrossFade, Loudest
from audiobend.export.movement import Movement
from audiobend.export.network import BentNetwork
from audiobend.export.output import Glide
from audiobend.export.synthesis import Synthesis
from audiobend.live_window import FULL_SCALE_DB
from audiobend.spectral.codec import CEILING_DB, FLOOR_DB, SILENCE_MARGIN_DB, SpectrogramCodec
from audiobend.spectral.detail import NOTHING_DB
from audiobend.spectral.level import LEVEL_RANGE_DB, LEVEL_SECONDS, LOUD_DB, QUIET_DB
from audiobend.spectral.live_settings import LiveSettings
from audiobend.spectral.sliding import SILENT_DB
from audiobend.spectral.stft import HOP_LENGTH, N_FFT


class Codec(nn.Module):
    """Decibels to what the network sees, and back."""

    mean_db: Tensor

    def __init__(self, codec: SpectrogramCodec) -> None:
        super().__init__()
        self.scale_db, self.silent_db, self.floor_db = codec.scale_db, SILENT_DB, FLOOR_DB
        self.ceiling_db, self.margin_db = CEILING_DB, SILENCE_MARGIN_DB
        self.register_buffer("mean_db", codec.mean_db.clone())

    @torch.jit.export
    def normalise(self, db: Tensor) -> Tensor:
        """Return windows ``(channel, 1, 128, 513)`` of decibels ``(channel, 128, 513)`` relative to 0 dB."""
        return ((db.clamp(self.floor_db, 0.0) - self.mean_db) / self.scale_db).unsqueeze(1)

    @torch.jit.export
    def decibels(self, columns: Tensor) -> Tensor:
        """Return decibels relative to 0 dB of what the network put out; bends can make numbers that are none."""
        db = columns[:, 0] * self.scale_db + self.mean_db
        return torch.nan_to_num(db, self.silent_db, 20.0, self.silent_db).clamp(self.silent_db, 20.0)

    @torch.jit.export
    def magnitude(self, db: Tensor, reference_db: float, floor: Tensor) -> Tensor:
        """Return magnitudes; at or under the floor is silence."""
        clean = torch.nan_to_num(db, self.silent_db, self.ceiling_db, self.silent_db)
        silent = clean <= floor + self.margin_db
        reference = math.pow(10.0, reference_db / 20)
        magnitude = clean.clamp(max=self.ceiling_db).mul(0.1151292546497023).exp().mul(reference)
        return magnitude.masked_fill(silent, 0.0)

    def forward(self, db: Tensor) -> Tensor:
        """Return `normalise`."""
        return self.normalise(db)


class LevelMatch(nn.Module):
    """The slow gain that gives the unbent reconstruction the input's loudness; `audiobend.spectral.level`."""

    decay: Tensor
    mixing: Tensor
    state: Tensor

    def __init__(self, stride: int) -> None:
        super().__init__()
        keep = math.exp(-HOP_LENGTH / 44100 / LEVEL_SECONDS)
        self.low, self.high, self.quiet_db, self.loud_db = *LEVEL_RANGE_DB, QUIET_DB, LOUD_DB
        ages = torch.arange(stride)[:, None] - torch.arange(stride)
        mixing = (1 - keep) * torch.where(ages >= 0, keep ** ages.clamp(min=0).double(), 0.0)
        self.register_buffer("mixing", mixing)
        self.register_buffer("decay", keep ** torch.arange(1, stride + 1).double())
        self.register_buffer("state", torch.zeros(2, dtype=torch.float64))

    @torch.jit.export
    def reset(self) -> None:
        """Forget every loudness."""
        self.state = torch.zeros_like(self.state)

    def forward(self, input_db: Tensor, unbent_db: Tensor, out: Tensor) -> Tensor:
        """Return what each bin of ``out (channel, column, 513)`` gets."""
        both = torch.stack([input_db, unbent_db]).clamp(max=20.0).double()
        energy = torch.pow(10.0, both / 10).sum([1, 3])
        smooth = energy @ self.mixing.mT + self.state.unsqueeze(1) * self.decay
        self.state = smooth[:, -1]
        smooth = smooth.clamp(min=1e-30)
        gain_db = (10 * (smooth[0] / smooth[1]).log10()).clamp(self.low, self.high).float()
        share = ((out - self.quiet_db) / (self.loud_db - self.quiet_db)).clamp(0.0, 1.0)
        return gain_db.view(1, -1, 1) * share


class Sliding(nn.Module):
    """A stride of samples in, a stride of wet ones out."""

    def __init__(
        self, settings: LiveSettings, codec: SpectrogramCodec, network: BentNetwork, movement: Movement,
        detail: int, match_level: int,
    ) -> None:    # fmt: skip
        super().__init__()
        n_channels, stride, look_ahead = settings.n_channels, settings.stride, settings.look_ahead
        self.stride, self.look_ahead, self.rate = stride, look_ahead, codec.sample_rate
        self.hop_length, self.half_frame = HOP_LENGTH, N_FFT // HOP_LENGTH // 2
        self.floor_db, self.nothing_db, self.full_scale_db = FLOOR_DB, NOTHING_DB, FULL_SCALE_DB
        self.detail_slot, self.level_slot = detail, match_level
        self.network, self.movement, self.codec = network, movement, Codec(codec)
        self.analysis = Analysis(n_channels, stride, look_ahead)
        self.loudest = Loudest(codec.sample_rate, stride)
        self.bent, self.unbent = (CrossFade(n_channels, stride, look_ahead) for _ in range(2))
        self.level, self.detail = LevelMatch(stride), Glide(1)
        look = settings.phase_look_ahead if settings.phase == "rtisi" else None
        self.synthesis = Synthesis(n_channels, stride, look)

    @torch.jit.export
    def reset(self) -> None:
        """Forget all sound."""
        self.analysis.reset()
        self.loudest.reset()
        self.bent.reset()
        self.unbent.reset()
        self.level.reset()
        self.detail.reset()
        self.synthesis.reset()

    @torch.jit.export
    def seconds(self, n_hops: int, column: float) -> float:
        """Return the time in the input of a kept column, counted from the first of them."""
        first = n_hops - self.half_frame - self.look_ahead - self.stride + 1
        return max(0.0, (first + column) * self.hop_length / self.rate)

    @torch.jit.export
    def detail_of_columns(self, values: list[float], n_hops: int, device: torch.device) -> Tensor:
        """Return how much detail each kept column gets back, ``(stride,)``."""
        wanted: list[float] = []
        for column in range(-1, self.stride):
            moved: list[float] = self.movement(values, self.seconds(n_hops, float(column)))
            wanted.append(moved[self.detail_slot])
        ends: tuple[float, float] = self.detail(values[self.detail_slot], wanted[0], wanted[-1])
        line = torch.linspace(ends[0] - wanted[0], ends[1] - wanted[-1], self.stride + 1)
        return (torch.tensor(wanted)[1:] + line[1:]).to(device)

    def forward(self, samples: Tensor, values: list[float], n_hops: int) -> Tensor:
        """Take ``(channel, 256 * stride)`` samples, ``n_hops`` after the start with the last of them."""
        columns: tuple[Tensor, Tensor, Tensor] = self.analysis(samples)
        window_db, spectrum, kept_db = columns
        reference_db: float = self.loudest(window_db)
        middle = self.seconds(n_hops, (self.stride - 1) / 2)
        moved: list[float] = self.movement(values, middle)
        found: tuple[Tensor, Tensor] = self.network(
            self.codec.normalise(window_db - reference_db), moved, n_hops // self.stride
        )
        bent_db = self.bent(self.codec.decibels(found[0]) + reference_db) - reference_db
        unbent_db = self.unbent(self.codec.decibels(found[1]) + reference_db) - reference_db
        input_db = kept_db - reference_db
        detail = self.detail_of_columns(values, n_hops, samples.device).view(1, -1, 1)
        # A silent column knows exactly what the network added to it: take it off, silence stays silence.
        silent = input_db.amax(dim=2, keepdim=True) <= self.floor_db
        lost = torch.where(silent, torch.ones_like(detail), detail) * (input_db - unbent_db)
        floor = self.floor_db + detail * (input_db - self.floor_db).clamp(max=0.0) - 1.0 * (detail > 0)
        out = bent_db + lost
        if values[self.level_slot] != 0:
            fixed = reference_db - self.full_scale_db
            out = out + self.level(input_db + fixed, unbent_db + lost + fixed, out)
        magnitude = self.codec.magnitude(out, reference_db, floor.clamp(min=self.nothing_db))
        wet: Tensor = self.synthesis(magnitude, spectrum, n_hops)
        return wet
