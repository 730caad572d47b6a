"""Live control as pure functions: a `State`, the `Command`s that change it, and `update`. No socket, thread or clock.

>>> from audiobend.control import Context, Place, Set, State, update
>>> from audiobend.bending import Patch
>>> from types import SimpleNamespace as Layer
>>> layers = (Layer(name=3, n_features=8, height=32, width=129, axes=("time", "frequency")),)
>>> place = Place(3, None, "erode")
>>> state = update(State(Patch()), Set(f"{place.id}/on", True, place), Context(layers))
>>> state.patch.bends[0].id, state.patch.bends[0].on, state.revision
('layer3.all.erode', True, 1)
"""

from audiobend.control.commands import (
    AddBend,
    BindMacro,
    Command,
    DeleteScene,
    EndedRecording,
    HaltTake,
    LoadPatch,
    LoadScene,
    ModelFailed,
    ModelLoaded,
    Morph,
    MorphFour,
    Panic,
    Place,
    PlayTake,
    Redo,
    RemoveBend,
    RenameScene,
    RequestModel,
    SaveScene,
    Set,
    StartRecording,
    StartTake,
    StopRecording,
    StopTake,
    UnbindMacro,
    Undo,
)
from audiobend.control.reading import read
from audiobend.control.scenes import morph
from audiobend.control.scheduling import Schedule
from audiobend.control.state import Context, Fade, MorphPosition, PadPosition, State
from audiobend.control.update import update, update_all

__all__ = [
    "AddBend",
    "BindMacro",
    "Command",
    "Context",
    "DeleteScene",
    "EndedRecording",
    "Fade",
    "HaltTake",
    "LoadPatch",
    "LoadScene",
    "ModelFailed",
    "ModelLoaded",
    "Morph",
    "MorphFour",
    "MorphPosition",
    "PadPosition",
    "Panic",
    "Place",
    "PlayTake",
    "Redo",
    "RemoveBend",
    "RenameScene",
    "RequestModel",
    "SaveScene",
    "Schedule",
    "Set",
    "StartRecording",
    "StartTake",
    "State",
    "StopRecording",
    "StopTake",
    "UnbindMacro",
    "Undo",
    "morph",
    "read",
    "update",
    "update_all",
]
