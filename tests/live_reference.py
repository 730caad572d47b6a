"""What the live engine should put out, worked out from the whole sound at once: no blocks, no state, no latency.

With the input's phase: sweeps that find phases amplify any rounding, so they are compared from equal magnitudes on, in
`tests/spectral/test_sliding.py`.
"""

import math
from itertools import pairwise

import torch

from audiobend.networks.bendable import bent
from audiobend.spectral.detail import give_back
from audiobend.spectral.follow import LOWEST, RELEASE_SECONDS, START
from audiobend.spectral.guard import OffsetBlocker
from audiobend.spectral.level import LevelMatch, on_loud_bins
from audiobend.spectral.stft import HOP_LENGTH, istft, stft

BEFORE = 256    # silent columns before the sound
FULL_SCALE_DB = 54.2


@torch.inference_mode()
def whole(model, patch, waveform, settings):
    """Return the wet sound ``(channel, time)``, aligned with the input, before gain, mix and limiter."""
    stride, look_ahead = settings.stride, settings.look_ahead
    n_channels, n_samples = waveform.shape
    n_windows = (BEFORE + n_samples // HOP_LENGTH) // stride + 40
    padded = torch.nn.functional.pad(waveform, (BEFORE * HOP_LENGTH, n_windows * stride * HOP_LENGTH))
    spectrum = stft(padded)
    decibels = 20 * spectrum.abs().clamp(min=1e-10).log10()
    # Window k ends with the column whose frame ends with sample 256 * stride * k.
    n_windows = (decibels.shape[-1] - BEFORE) // stride - 1
    ends = [BEFORE + stride * k - 1 for k in range(1, n_windows)]    # one after the newest column, two hops back
    windows = torch.stack([decibels[..., end - 128 : end] for end in ends])
    loudness = _loudness(windows, stride)
    bent_db, unbent_db = _network(model, patch, windows - loudness[:, None, None, None], stride, look_ahead)
    bent_db, unbent_db = (db + loudness[:, None, None, None] for db in (bent_db, unbent_db))
    first = ends[0] - look_ahead - stride
    bent_columns, unbent_columns = (_faded(db, stride, look_ahead) for db in (bent_db, unbent_db))
    n = bent_columns.shape[-1]
    spectrum, decibels = spectrum[..., first : first + n], decibels[..., first : first + n]
    offset = loudness.repeat_interleave(stride)
    detail = torch.full((n,), patch.output.detail)
    out, restored, floor = give_back(bent_columns - offset, unbent_columns - offset, decibels - offset, detail)
    fixed = offset - FULL_SCALE_DB
    out = out + on_loud_bins(LevelMatch().feed(decibels - FULL_SCALE_DB, restored + fixed), out)
    magnitude = model.codec.to_magnitude(out, 1.0, floor) * 10 ** (offset / 20)
    wet = istft(magnitude * torch.sgn(spectrum))[:, (BEFORE - first) * HOP_LENGTH :][:, :n_samples]
    blocker = OffsetBlocker(n_channels, model.codec.sample_rate)
    return torch.from_numpy(blocker.feed(wet.numpy(), waveform[:, : wet.shape[1]].numpy()))


def _loudness(windows, stride):
    """Follow the loudest bin: dB of each window's 0 dB."""
    fall = 20 * math.log10(math.exp(-stride * HOP_LENGTH / 44100 / RELEASE_SECONDS))
    now, values = 20 * math.log10(START), []
    for loudest in windows.flatten(1).amax(1).tolist():
        now = max(loudest, now + fall, 20 * math.log10(LOWEST))
        values.append(now)
    return torch.tensor(values)


def _network(model, patch, windows, stride, look_ahead):
    plan, codec, n = model.resolve(patch), model.codec, len(windows)
    x = codec.normalise(windows.clamp(-80, 0)).transpose(-1, -2).flatten(0, 1)[:, None]
    newest = stride * torch.arange(1, n + 1, dtype=torch.float64) - 2
    middle = ((newest - look_ahead - (stride - 1) / 2) * HOP_LENGTH / codec.sample_rate).clamp(min=0)
    times = middle.repeat_interleave(windows.shape[1])
    network = model.bent_network(patch)
    unbent = model.network.decode(model.network.encode_mean(x))
    with bent(network, plan, times):
        reconstruction = network.decode(plan.apply_latent(network.encode_mean(x), model.latent_axes, times=times))

    def decibels(output):
        db = codec.denormalise(output[:, 0].transpose(-1, -2)).nan_to_num(-200, 20, -200).clamp(-200, 20)
        return db.unflatten(0, (n, -1))

    return decibels(reconstruction), decibels(unbent)


def _faded(windows, stride, look_ahead):
    """Join windows ``(window, channel, 513, 128)``: a straight dB ramp from each to the next."""
    n_fade = min(stride, look_ahead)
    share = (torch.arange(stride) + 1).div(n_fade).clamp(max=1)
    columns = [windows[0][..., 128 - look_ahead - stride : 128 - look_ahead]]
    for before, now in pairwise(windows):
        old = torch.nn.functional.pad(before, (0, stride))[..., 128 - look_ahead : 128 - look_ahead + stride]
        new = now[..., 128 - look_ahead - stride : 128 - look_ahead]
        columns.append(torch.where(share < 1, old * (1 - share) + new * share, new))
    return torch.cat(columns, dim=-1)
