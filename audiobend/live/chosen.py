"""Which backend runs a model fastest on this machine, and what it costs: measured once, and kept.

What is measured anew at every start may come out otherwise now and then, and other backends round otherwise: a bounce
would not be the same tomorrow.
"""

import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import cast

import platformdirs

from audiobend.errors import AudioError
from audiobend.io.files import write_atomically
from audiobend.networks.backends import BackendName, backend, worth_trying
from audiobend.networks.model import Model
from audiobend.spectral.live_settings import LiveSettings
from audiobend.speed import choose_backend, cost

FOLDER_VARIABLE = "AUDIOBEND_CACHE"


@dataclass(frozen=True)
class Chosen:
    """A backend, and the seconds of work that it takes for a second of sound with many bends."""

    backend: BackendName
    load: float


def chosen(model: Model, settings: LiveSettings, name: BackendName | None = None) -> Chosen:
    """Return a backend, the fastest where none is named, and its load.

    What is not known yet is measured, which takes some seconds.
    """
    path, key = _path(), _key(model, settings, name)
    known = _read(path)
    if key in known:
        return known[key]
    one = backend(name, model, settings.n_channels) if name else choose_backend(model, settings)[0]
    found = Chosen(cast(BackendName, one.name), round(cost(model, settings, one).load, 3))
    _write(path, {**known, key: found})
    return found


def _path() -> Path:
    folder = os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_dir("audiobend", appauthor=False)
    return Path(folder) / "speed.json"


def _key(model: Model, settings: LiveSettings, name: BackendName | None) -> str:
    """Return all that the answer depends on."""
    how = settings.n_channels, settings.stride, settings.look_ahead, settings.phase
    return " ".join(map(str, (model.fingerprint, *how, name or ",".join(worth_trying()), *_machine())))


@cache
def _machine() -> tuple[str, ...]:
    versions = []
    for package in ("torch", "openvino"):
        with suppress(PackageNotFoundError):
            versions.append(f"{package}-{version(package)}")
    return platform.node(), _processor(), *versions


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _read(path: Path) -> dict[str, Chosen]:
    """Return what is known; a file that is none of ours is nothing."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        known = json.loads(path.read_text(encoding="utf-8"))
        return {key: Chosen(one["backend"], float(one["load"])) for key, one in known.items()}
    return {}


def _write(path: Path, known: dict[str, Chosen]) -> None:
    with suppress(OSError, AudioError):    # then it is measured again
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path, error=AudioError) as temporary:
            document = {key: asdict(one) for key, one in known.items()}
            temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
