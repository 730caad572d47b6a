"""What the engines of one server have in common: loaded once, and shared by all processes copied from that one.

Where processes are copied (`audiobend.live.children.prefer_forks`), this module is imported in the one that they are
copied from. What `MODEL_VARIABLE` names is loaded then, together with all that a first engine takes: libraries, weights
in memory, compiled loops. A copy takes memory of its own only for what it changes. Nothing here may begin a thread,
which a copy would not have; so OpenVINO begins after the copying.
"""

import gc
import os
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection

import torch

from audiobend.bending import Patch
from audiobend.errors import AudiobendError
from audiobend.io.modelbundle import load_model
from audiobend.live.dsp import Wanted
from audiobend.live.player import EnginePlayer
from audiobend.live_engine import LiveEngine
from audiobend.networks.model import Model
from audiobend.spectral.live_settings import LiveSettings

MODEL_VARIABLE = "AUDIOBEND_WARM_MODEL"


@cache
def shared_model(name: str | None) -> Model:
    """Load a model once in this process and those copied from it."""
    return load_model(name)


def make_player(wanted: Wanted, settings: LiveSettings) -> EnginePlayer:
    """Make an engine, with the shared model if it is that one."""
    shares = wanted.model == os.environ.get(MODEL_VARIABLE) and wanted.clusters is None
    return EnginePlayer(wanted, settings, shared_model(wanted.model) if shares else None)


def stand(pipe: Connection) -> None:
    """Tell from a process that it has begun: copies are to be had from now on."""
    pipe.send(("begun", None))


def _prepare(name: str) -> None:
    torch.set_num_threads(1)
    with suppress(AudiobendError):    # whoever wants the model will hear what is wrong with it
        LiveEngine(shared_model(name), Patch(), LiveSettings(n_channels=2))
    gc.collect()
    gc.freeze()    # a copy that looks for garbage leaves all this alone, and so shared


if MODEL_VARIABLE in os.environ:
    _prepare(os.environ[MODEL_VARIABLE])
