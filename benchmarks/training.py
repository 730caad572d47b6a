"""How many windows a second training learns from, against the same network written naively.

    python benchmarks/training.py [--width W]... [--batch N] [--rounds N] [--threads N] [--check]

All ways are measured in turn, round after round, on the same batch, so read ratios: on the processor they are of
processor time where one thread runs (other programs then count little), else of wall-clock time, and always of the
fastest round.

- naive: maps in memory as PyTorch has them by default (NCHW), 32-bit floats, Adam, mean-square error and divergence
- layout, layout bf16: the same with channels last, and with multiplications in bf16 under autocast
- train, train bf16: a step of `audiobend train`, which does more: Muon, the relative linear error, gradients checked
  and clipped, averaged weights

Without loading: windows come from memory. With a GPU, rows for it follow. Promise kept with --check: the faster of the
two ways of `audiobend train` is no slower than the naive one, though it does more.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiobend.networks.spectrogram_vae import SEED_MAP, SpectrogramVAE, channels_last
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.distributed import make_team
from audiobend.train.loop import Trainer
from audiobend.train.recipe import Recipe
from audiobend.train.tracks import Track
from audiobend.train.windows import WindowSampler

WIDTHS = (0.25, 0.5)
STEPS = 2
"""Steps in a round."""

Step = Callable[[Tensor], None]


class NaiveVAE(SpectrogramVAE):
    """The same network, its maps in memory as PyTorch has them by default."""

    def decode(self, z: Tensor) -> Tensor:
        x = self.expand(z).unflatten(1, (-1, *SEED_MAP))
        for layer in self.decoder:
            x = layer(x)
        return x


def plain_step(network: SpectrogramVAE, codec: SpectrogramCodec, device: torch.device, bf16: bool = False) -> Step:
    """Return a step as one would write it first."""
    network = network.to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    mean_db = codec.mean_db.to(device)

    def step(windows_db: Tensor) -> None:
        x = (windows_db.to(device) - mean_db) / codec.scale_db
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            mean, log_variance = network.encode(x)
            y = network.decode(mean + torch.randn_like(mean) * (0.5 * log_variance).exp())
        y, mean, log_variance = y.float(), mean.float(), log_variance.float()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        loss = torch.nn.functional.mse_loss(y, x) + 0.05 * kl / x[0].numel()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def trainer_step(
    width: float, codec: SpectrogramCodec, sampler: WindowSampler, devices: str, precision: str
) -> Step:
    """Return the step of `audiobend train`."""
    recipe = Recipe(width=width, batch_size=sampler.batch_size, minutes=1e5)
    return Trainer(recipe, codec, sampler, team=make_team(devices, 1, precision)).step


def music(batch: int) -> WindowSampler:
    """Return windows of noise with a spectrum like music's: what they hold does not change the speed."""
    random = np.random.default_rng(0)
    columns = np.linspace(-10, -70, 513) + random.normal(0, 6, (2000, 513))
    return WindowSampler([Track("noise", columns.clip(-80, 0).astype(np.float16))], batch, seed=0)


def clock(device: str) -> float:
    """Return seconds: of the processor if one thread does all the work."""
    if device == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def measure(steps: dict[str, Step], batch: Tensor, device: str, rounds: int) -> dict[str, float]:
    """Return windows a second of each way, in its best round."""
    for step in steps.values():
        step(batch)    # memory is found, kernels are chosen
    best = dict.fromkeys(steps, math.inf)
    for _ in range(rounds):
        for name, step in steps.items():
            begun = clock(device)
            for _ in range(STEPS):
                step(batch)
            best[name] = min(best[name], (clock(device) - begun) / STEPS)
    return {name: len(batch) / seconds for name, seconds in best.items()}


def compare(width: float, device: str, batch: int, rounds: int) -> dict[str, float]:
    """Measure all ways at one width on one device."""
    sampler, codec, where = music(batch), SpectrogramCodec(), torch.device(device)
    leaky: dict[str, Any] = {"width": width, "activation": "leaky_relu"}
    torch.manual_seed(0)
    steps = {
        "naive": plain_step(NaiveVAE(**leaky), codec, where),
        "layout": plain_step(channels_last(SpectrogramVAE(**leaky)), codec, where),
        "layout bf16": plain_step(channels_last(SpectrogramVAE(**leaky)), codec, where, bf16=True),
        "train": trainer_step(width, codec, sampler, device, "32"),
        "train bf16": trainer_step(width, codec, sampler, device, "bf16"),
    }
    return measure(steps, sampler.batch(), where.type, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, action="append")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    devices = ["cpu"] + (["cuda:0"] if torch.cuda.is_available() else [])
    broken = []
    print(f"batches of {options.batch}, {options.threads} thread(s), best of {options.rounds} rounds")
    print(f"{'device':8}{'width':>6}{'':3}{'way':13}{'windows/s':>11}{'against naive':>16}")
    for device in devices:
        for width in options.width or WIDTHS:
            speeds = compare(width, device, options.batch, options.rounds)
            for name, speed in speeds.items():
                print(f"{device:8}{width:6g}{'':3}{name:13}{speed:11.1f}{speed / speeds['naive']:15.2f}x", flush=True)
            if max(speeds["train"], speeds["train bf16"]) < speeds["naive"]:
                broken.append(f"at width {width:g} on {device} the naive way is faster")
    if options.check and broken:
        sys.exit("a promise is broken: " + "; ".join(broken))


if __name__ == "__main__":
    main()
