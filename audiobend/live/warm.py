"""What engines have in common: loaded once, and shared by all processes copied from the one that loaded it.

`audiobend.live.warming` begins that process: libraries, the model's weights and compiled loops are loaded there. A copy
begins at once, and takes memory of its own only for what it changes.
"""

import gc
from contextlib import suppress
from pathlib import Path

import torch

from audiobend.bending import Patch
from audiobend.errors import AudiobendError
from audiobend.io.modelbundle import find_model, load_model
from audiobend.live.dsp import Wanted
from audiobend.live.player import EnginePlayer
from audiobend.live_engine import LiveEngine
from audiobend.networks.model import Model
from audiobend.spectral.live_settings import LiveSettings

_shared: tuple[Path, Model] | None = None


def make_player(wanted: Wanted, settings: LiveSettings) -> EnginePlayer:
    """Make an engine, with the shared model if it is that one."""
    return EnginePlayer(wanted, settings, None if wanted.clusters else _shared_model(wanted.model))


def prepare(name: str | None) -> None:
    """Load what engines have in common, in the process that they will be copied from.

    Nothing here may begin a thread, which a copy would not have; so OpenVINO begins after the copying.
    """
    global _shared
    torch.set_num_threads(1)
    with suppress(AudiobendError):    # whoever wants the model will hear what is wrong with it
        model = load_model(name)
        LiveEngine(model, Patch(), LiveSettings(n_channels=2))
        _shared = find_model(name).resolve(), model
    gc.freeze()    # a copy that looks for garbage leaves all this alone, and so shared


def _shared_model(name: str | None) -> Model | None:
    if _shared is None or find_model(name).resolve() != _shared[0]:
        return None
    return _shared[1]
