"""What a training would find in folders, as one document."""

from collections.abc import Sequence
from typing import Any

from audiobend.networks.spectrogram_vae import WINDOW
from audiobend.spectral.stft import n_columns
from audiobend.train.cache import BYTES_PER_COLUMN
from audiobend.train.soundfiles import SAMPLE_RATE, in_text
from audiobend.train.sounds import Scan, Sound


def overview(found: Scan, speed: float | None, width: float, passes: Sequence[int]) -> dict[str, Any]:
    """Return what was found: per folder, in all, what was left out and why, and how long training takes.

    Parameters
    ----------
    found : Scan
    speed : float, windows a second, optional
        Of this machine, for a network of this ``width``; without it nothing is said of the time.
    passes : sequence of int
        How often all sound is gone through; once is as many windows as the sounds hold side by side.
    """
    columns = [n_columns(round(sound.seconds * SAMPLE_RATE)) for sound in found.sounds]
    windows = sum(count // WINDOW for count in columns)
    times = [{"passes": n, "minutes": round(n * windows / speed / 60, 2)} for n in passes] if speed else []
    return {
        "sounds": len(found.sounds),
        "hours": round(found.hours, 3),
        "windows": windows,
        "cache_gb": round(sum(columns) * BYTES_PER_COLUMN / 1e9, 3),
        "folders": _folders(found.sounds),
        "files": [_file(sound) for sound in found.sounds],
        "skipped": [{"path": in_text(one.path), "reason": one.reason} for one in found.skipped],
        "training": {"width": width, "windows_per_second": round(speed, 1), "passes": times} if speed else None,
    }


def _folders(sounds: Sequence[Sound]) -> list[dict[str, Any]]:
    """Return sums for each given folder and the folders directly inside it, the longest first."""
    groups: dict[str, list[Sound]] = {}
    for sound in sounds:
        groups.setdefault("/".join(sound.folder.split("/")[:2]), []).append(sound)
    rows = [
        {"folder": name, "sounds": len(group), "hours": round(sum(sound.seconds for sound in group) / 3600, 3)}
        for name, group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row["hours"], row["folder"]))


def _file(sound: Sound) -> dict[str, Any]:
    return {
        "path": in_text(sound.path),
        "name": sound.name,
        "seconds": round(sound.seconds, 3),
        "sample_rate": sound.sample_rate,
        "channels": sound.channels,
    }
