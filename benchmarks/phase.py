"""Phase reconstruction against torchaudio and librosa: how near, and at what cost.

    python benchmarks/phase.py [--music FOLDER] [--quick] [--json FILE] [--check]

Every method gets the same float32 magnitudes of the same zero-padded Hann STFT (1024 / 256), of sounds with
0.1 s of silence at both ends, in one process on one thread. Methods are interleaved round-robin; the cost is CPU
time, the ratio is taken within each round. Nearness is the spectral convergence (SC, dB, lower is nearer),
computed for all by one function in float64. All start from magnitudes alone; the input's phase is checked apart.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import librosa
import numpy as np
import soundfile
import torch
import torchaudio
from torch import Tensor

from audiobend.spectral import reconstruct, stft
from audiobend.spectral.phase import griffin_lim, spsi, warm_up

SAMPLE_RATE = 44100
SECONDS = 6
SILENCE = 4500    # samples, longer than 0.1 s
SEED = 0
EQUAL = 32    # sweeps at which the plain algorithms are compared
Method = Callable[[Tensor, int], Tensor]


# ---- sounds: all mono, (time,)


def chirps(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rising = np.sin(2 * np.pi * (100 * time_ + 700 * time_**2))
    return 0.4 * rising + 0.3 * np.sin(2 * np.pi * (9000 * time_ - 500 * time_**2))


def drums(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sound = np.zeros_like(time_)
    t = np.arange(20000) / SAMPLE_RATE
    kick = np.sin(2 * np.pi * (50 * t + 5 * (1 - np.exp(-30 * t)))) * np.exp(-12 * t)
    for number, at in enumerate(range(0, len(sound) - len(t), 11025)):
        hat = rng.standard_normal(len(t)) * np.exp(-30 * t)
        sound[at : at + len(t)] += 0.7 * kick if number % 2 == 0 else 0.3 * hat
    return sound


def plucks(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Karplus-Strong strings."""
    sound = np.zeros(len(time_))
    for at in range(0, len(sound) - SAMPLE_RATE, SAMPLE_RATE // 3):
        period = int(SAMPLE_RATE / (110 * 2 ** (rng.integers(0, 24) / 12)))
        string = rng.uniform(-1, 1, period)
        turns = []
        for _ in range(SAMPLE_RATE // period):
            turns.append(string)
            string = 0.498 * (string + np.roll(string, 1))
        sound[at : at + len(turns) * period] += np.concatenate(turns)
    return 0.2 * sound


def chords(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three voices of eight harmonics, each with its own vibrato."""
    sound = np.zeros_like(time_)
    for number, pitch in enumerate((220.0, 277.2, 329.6)):
        phase = 2 * np.pi * pitch * time_ + 0.6 * np.sin(2 * np.pi * (5 + number) * time_)
        sound += sum(np.sin(k * phase) / k for k in range(1, 9))
    return 0.1 * sound


def speech_like(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A gliding voice through changing formants, with hisses between the syllables."""
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time_)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    vowels = rng.permutation([(700, 1100, 2600), (300, 2200, 3000), (400, 800, 2500), (500, 1700, 2500)] * 6)
    syllable = np.minimum((time_ * 4).astype(int), len(vowels) - 1)
    sound = np.zeros_like(time_)
    for k in range(1, 40):
        for number, formant in enumerate(vowels[syllable].T):
            gain = np.exp(-(((k * pitch - formant) / 120) ** 2)) / (1 + number)
            sound += gain * np.sin(k * phase)
    swell = np.sin(np.pi * (time_ * 4 % 1)) ** 0.5
    hiss = np.diff(rng.standard_normal(len(time_) + 1)) * (time_ * 4 % 1 > 0.85)
    return 0.15 * sound * swell + 0.05 * hiss


def bursts(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 0.2 * rng.standard_normal(len(time_)) * (np.sin(4 * np.pi * time_) > 0)


def bells(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Inharmonic partials that beat and die away."""
    sound = np.zeros_like(time_)
    for at in np.arange(0, SECONDS - 1, 0.7):
        t = np.maximum(time_ - at, 0)
        pitch = 300 * 2 ** (rng.integers(0, 12) / 12)
        for ratio in (0.5, 1, 1.183, 1.506, 2, 2.514, 2.662, 3.011, 4.166):
            sound += np.sin(2 * np.pi * pitch * ratio * t) * np.exp(-t * ratio) * (time_ >= at) / ratio
    return 0.05 * sound


def crackle(time_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sparse clicks over a hum."""
    clicks = rng.standard_normal(len(time_)) * (rng.uniform(size=len(time_)) < 0.0005)
    return 0.5 * clicks + 0.1 * np.sin(2 * np.pi * 50 * time_) + 0.05 * np.sin(2 * np.pi * 150 * time_)


SYNTHETIC = (chirps, drums, plucks, chords, speech_like, bursts, bells, crackle)


def load_sounds(music: Path, limit: int) -> dict[str, Tensor]:
    """Return synthetic sounds and, from `music`, six seconds out of the middle of every file."""
    length = SECONDS * SAMPLE_RATE - 2 * SILENCE
    time_ = np.arange(length) / SAMPLE_RATE
    sounds = {make.__name__: make(time_, np.random.default_rng(SEED)) for make in SYNTHETIC}
    files = sorted(path for path in music.glob("*") if path.suffix in {".flac", ".ogg", ".wav"})
    for path in files[:: max(1, len(files) // limit)][:limit]:
        info = soundfile.info(path)
        start = max(0, (info.frames - length) // 2)
        read, _ = soundfile.read(path, frames=length, start=start, dtype="float32", always_2d=True)
        sounds[path.stem] = read.mean(1)
    return {name: torch.from_numpy(np.pad(s, SILENCE).astype(np.float32)) for name, s in sounds.items()}


# ---- methods


def torchaudio_sweeps(n_iter: int) -> Method:
    window = torch.hann_window(1024)

    def run(magnitude: Tensor, length: int) -> Tensor:
        torch.manual_seed(SEED)
        return torchaudio.functional.griffinlim(
            magnitude, window, 1024, 256, 1024,
            power=1.0, n_iter=n_iter, momentum=0.99, length=length, rand_init=True,
        )    # fmt: skip

    return run


def librosa_sweeps(n_iter: int) -> Method:
    def run(magnitude: Tensor, length: int) -> Tensor:
        found = librosa.griffinlim(
            magnitude.numpy(), n_iter=n_iter, hop_length=256, n_fft=1024, length=length,
            pad_mode="constant", momentum=0.99, random_state=SEED,
        )    # fmt: skip
        return torch.from_numpy(found)

    return run


METHODS: dict[str, Method] = {
    f"torchaudio {EQUAL}": torchaudio_sweeps(EQUAL),
    f"librosa {EQUAL}": librosa_sweeps(EQUAL),
    f"griffin_lim {EQUAL}": lambda s, n: griffin_lim(s, n_iter=EQUAL, length=n, seed=SEED),
    "torchaudio 100": torchaudio_sweeps(100),
    "librosa 100": librosa_sweeps(100),
    "griffin_lim 100": lambda s, n: griffin_lim(s, n_iter=100, length=n, seed=SEED),
    "spsi + 8": lambda s, n: griffin_lim(s, n_iter=8, init=spsi(s), length=n),
    "fast": lambda s, n: reconstruct(s, quality="fast", length=n, seed=SEED),
    "default": lambda s, n: reconstruct(s, quality="default", length=n, seed=SEED),
    "best": lambda s, n: reconstruct(s, quality="best", length=n, seed=SEED),
}


# ---- measuring


@dataclass
class Result:
    """One method on one sound: SC in dB, LSD in dB, CPU seconds of every round."""

    sc: float
    lsd: float
    cpu: list[float]


def measure(waveform: Tensor, magnitude: np.ndarray) -> tuple[float, float]:
    """Return SC and log-spectral distance (floor 80 dB under the loudest bin), both in dB, in float64."""
    found = np.abs(librosa.stft(waveform.double().numpy(), n_fft=1024, hop_length=256, pad_mode="constant"))
    sc = 20 * math.log10(np.linalg.norm(found - magnitude) / np.linalg.norm(magnitude))
    floor = 1e-4 * magnitude.max()
    apart = 20 * np.log10(np.maximum(found, floor) / np.maximum(magnitude, floor))
    return sc, float(np.sqrt((apart**2).mean(0)).mean())


def compare(waveform: Tensor, rounds: int) -> dict[str, Result]:
    magnitude = stft(waveform).abs().contiguous()
    exact = np.abs(librosa.stft(waveform.double().numpy(), n_fft=1024, hop_length=256, pad_mode="constant"))
    results: dict[str, Result] = {}
    for _ in range(rounds):
        for name, run in METHODS.items():
            found, spent = timed(lambda run=run: run(magnitude, len(waveform)))
            if name not in results:
                results[name] = Result(*measure(found, exact), [])
            results[name].cpu.append(spent)
    return results


def timed(run: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """Return what `run` returns and its CPU time in seconds: the mean of as many runs as half a second holds."""
    begin, runs = time.process_time(), 0
    while runs == 0 or time.process_time() - begin < 0.5:
        found = run()
        runs += 1
    return found, (time.process_time() - begin) / runs


def ratio(results: dict[str, Result], theirs: str, ours: str) -> float:
    """Return how many times cheaper ours is: the median over rounds."""
    return median(a / b for a, b in zip(results[theirs].cpu, results[ours].cpu, strict=True))


def identity(sounds: dict[str, Tensor]) -> float:
    """Return the worst error, in dB, of true magnitudes with the input's phase."""
    worst = -math.inf
    for waveform in sounds.values():
        spectrum = stft(waveform)
        for phase in ("input", "auto"):
            found = reconstruct(spectrum.abs(), input_stft=spectrum, phase=phase, length=len(waveform))
            worst = max(worst, 20 * math.log10(float((found - waveform).norm() / waveform.norm()) + 1e-20))
    return worst


# ---- telling


def table(all_results: dict[str, dict[str, Result]]) -> str:
    heads = [f"{'method':<16}", *(f"{h:>9}" for h in ("SC mean", "worst", "LSD", "RTF", "nearer", "cost"))]
    lines = ["".join(heads) + "    (nearer than, cost of torchaudio 100)"]
    for name in METHODS:
        rows = [results[name] for results in all_results.values()]
        wins = sum(r[name].sc < r["torchaudio 100"].sc for r in all_results.values())
        cost = median(ratio(r, "torchaudio 100", name) for r in all_results.values())
        lines.append(
            f"{name:<16}{mean(r.sc for r in rows):>9.2f}{max(r.sc for r in rows):>9.2f}"
            f"{mean(r.lsd for r in rows):>9.2f}{mean(median(r.cpu) for r in rows) / SECONDS:>9.4f}"
            f"{f'{wins}/{len(rows)}':>9}{f'1/{cost:.1f}':>9}"
        )
    heads = [f"{h:>8}" for h in ("ta 100", "lr 100", "fast", "default", "best")]
    lines += ["", f"{'sound':<28}{''.join(heads)}{'cheaper than ta, lr':>22}"]
    for sound, r in all_results.items():
        scs = "".join(f"{r[m].sc:>8.2f}" for m in ("torchaudio 100", "librosa 100", "fast", "default", "best"))
        cheaper = f"{ratio(r, 'torchaudio 100', 'default'):.1f}x, {ratio(r, 'librosa 100', 'default'):.1f}x"
        lines.append(f"{sound[:27]:<28}{scs}{cheaper:>22}")
    return "\n".join(lines)


def failures(all_results: dict[str, dict[str, Result]], identity_db: float) -> list[str]:
    """Return what falls short of the promises, in words."""
    found = []
    for sound, r in all_results.items():
        for theirs in ("torchaudio 100", "librosa 100"):
            if r["default"].sc >= r[theirs].sc:
                found.append(f"{sound}: default {r['default'].sc:.2f} dB, {theirs} {r[theirs].sc:.2f} dB")
            times = ratio(r, theirs, "default")
            if times < 6:
                found.append(f"{sound}: default is only {times:.1f} times cheaper than {theirs}")
    ours, theirs = f"griffin_lim {EQUAL}", f"librosa {EQUAL}"
    apart = mean(r[ours].sc - r[theirs].sc for r in all_results.values())
    if abs(apart) > 0.5:
        found.append(f"{ours} is {apart:+.2f} dB from {theirs}")
    times = median(ratio(r, f"torchaudio {EQUAL}", ours) for r in all_results.values())
    if times < 3:
        found.append(f"{ours} is only {times:.1f} times cheaper than torchaudio")
    if identity_db > -120:
        found.append(f"true magnitudes with the input's phase come back at {identity_db:.1f} dB")
    if len(all_results) < 10:
        found.append(f"only {len(all_results)} sounds")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, default=Path(__file__).parents[1] / "examples" / "sounds")
    parser.add_argument("--limit", type=int, default=8, help="music files at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    parser.add_argument("--check", action="store_true", help="exit with status 1 if a promise is not kept")
    options = parser.parse_args()

    torch.set_num_threads(1)
    begin = time.process_time()
    warm_up()
    compiled = time.process_time() - begin
    sounds = load_sounds(options.music, options.limit)
    tone = torch.sin(torch.arange(SAMPLE_RATE) / 10)
    compare(tone, 1)    # FFT plans and whatever else happens once
    rounds = 1 if options.quick else options.rounds
    all_results = {name: compare(sound, rounds) for name, sound in sounds.items()}
    identity_db = identity(sounds)

    print(f"{len(sounds)} sounds of {SECONDS} s, {rounds} rounds, seed {SEED}")
    print(f"compiling the kernels, or loading them from the cache: {compiled:.1f} s\n")
    print(table(all_results))
    print(f"\ntrue magnitudes with the input's phase: {identity_db:.1f} dB")
    if options.json:
        numbers = {s: {m: vars(r) for m, r in results.items()} for s, results in all_results.items()}
        options.json.write_text(json.dumps({"identity_db": identity_db, "sounds": numbers}, indent=1))
    short = failures(all_results, identity_db)
    print("\n".join(["not kept:", *short] if short else ["all promises kept"]))
    return 1 if options.check and short else 0


if __name__ == "__main__":
    sys.exit(main())
