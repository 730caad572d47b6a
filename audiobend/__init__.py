"""audiobend: bend the inside of a neural network while sound runs through it.

>>> import audiobend as ab
>>> model = ab.load_model()
>>> patch = ab.load_patch("examples/patches/low_tide.yaml")
>>> bent = ab.render(waveform, sample_rate, model=model, patch=patch)    # doctest: +SKIP

Rooms: ``bending`` (transforms, patches, plans), ``spectral`` (sound to spectrogram and back), ``networks`` (what gets
bent), ``engine`` (sound in, bent sound out), ``rendering`` (files), ``io``, ``clustering``, ``train``, ``cli``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audiobend.bending import TRANSFORMS, Bend, Clusters, Patch, Plan, apply_transform, resolve
    from audiobend.engine import Engine, Settings
    from audiobend.errors import AudiobendError
    from audiobend.io.audiofile import read_audio
    from audiobend.io.modelbundle import list_models, load_model
    from audiobend.io.patchfile import load_patch, save_patch
    from audiobend.io.picturemodel import load_picture_model
    from audiobend.io.soundwriter import write_audio
    from audiobend.live_engine import LiveEngine, LiveSettings
    from audiobend.networks import bent
    from audiobend.networks.model import Model
    from audiobend.picture import generate
    from audiobend.picture_settings import PictureSettings
    from audiobend.rendering import render, render_file

# Imported on first use: torch takes seconds, and `audiobend --help` should not.
_HOMES = {
    "TRANSFORMS": "bending",
    "Bend": "bending",
    "Clusters": "bending",
    "Patch": "bending",
    "Plan": "bending",
    "apply_transform": "bending",
    "resolve": "bending",
    "Engine": "engine",
    "Settings": "engine",
    "AudiobendError": "errors",
    "read_audio": "io.audiofile",
    "write_audio": "io.soundwriter",
    "list_models": "io.modelbundle",
    "load_model": "io.modelbundle",
    "load_patch": "io.patchfile",
    "save_patch": "io.patchfile",
    "LiveEngine": "live_engine",
    "LiveSettings": "live_engine",
    "bent": "networks",
    "Model": "networks.model",
    "PictureSettings": "picture_settings",
    "generate": "picture",
    "load_picture_model": "io.picturemodel",
    "render": "rendering",
    "render_file": "rendering",
}

__all__ = [
    "TRANSFORMS",
    "AudiobendError",
    "Bend",
    "Clusters",
    "Engine",
    "LiveEngine",
    "LiveSettings",
    "Model",
    "Patch",
    "PictureSettings",
    "Plan",
    "Settings",
    "apply_transform",
    "bent",
    "generate",
    "list_models",
    "load_model",
    "load_patch",
    "load_picture_model",
    "read_audio",
    "render",
    "render_file",
    "resolve",
    "save_patch",
    "write_audio",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audiobend' has no attribute '{name}'")
    value = getattr(import_module(f"audiobend.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
