"""The contract of nn~ (Max and Pure Data): methods with their channels and ratios, and attributes that messages set.

nn~ looks for ``get_methods``, for a tensor ``<method>_params`` (channels in, ratio in, channels out, ratio out), for
``get_attributes`` and for each attribute's ``<attribute>_params`` (1 a whole number, 2 a number), ``get_`` and
``set_``. Every host of TorchScript can use the same names.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from audiobend.export.build import compiled
from audiobend.export.controls import Control
from audiobend.export.slots import Slots
from audiobend.export.stream import Stream

METHODS = ("forward", "encode", "decode")
RESET = "reset"
"""An attribute that nobody reads: setting it to anything but 0 brings the first sample back."""
FACTS = "audiobend.json"
"""Name of the text inside the file that says what it is."""
WHOLE, NUMBER = 1, 2


def nn_module(stream: Stream, slots: Slots, controls: Sequence[Control]) -> "torch.jit.ScriptModule":
    """Return a stream compiled, with the contract's names."""
    types = {one.attribute: WHOLE if one.whole else NUMBER for one in controls} | {RESET: WHOLE}
    for name, kind in types.items():
        stream.register_buffer(f"{name}_params", torch.tensor([kind]))
    for method in METHODS:
        n_in, _, n_out, _ = getattr(stream, f"{method}_params").tolist()
        setattr(stream, f"{method}_input_labels", _labels(n_in, method == "decode"))
        setattr(stream, f"{method}_output_labels", _labels(n_out, method == "encode"))
    # Modules of one class share their compiled methods, and these methods are this file's alone.
    stream.__class__ = type(Stream.__name__, (Stream,), {"__annotations__": Stream.__annotations__})
    scripted = compiled(stream)
    scripted.define(_lists(list(types)))
    for one in controls:
        scripted.define(accessors(one, slots[one.target]))
    scripted.define(_reset())
    scripted.reset()
    return scripted


def save(module: "torch.jit.ScriptModule", path: Path, facts: Mapping[str, Any]) -> None:
    """Write a compiled module and what is to be known about it."""
    torch.jit.save(module, str(path), _extra_files={FACTS: json.dumps(facts, indent=2).encode()})


def _labels(n: int, places: bool) -> list[str]:
    return [f"(signal) latent axis {i}" if places else f"(signal) sound {i + 1}" for i in range(n)]


def _lists(attributes: list[str]) -> str:
    return (
        f"def get_methods(self) -> List[str]:\n    return {list(METHODS)!r}\n"
        f"def get_attributes(self) -> List[str]:\n    return {attributes!r}\n"
    )


def accessors(one: Control, slot: int) -> str:
    """Return the source of a control's getter and setter; values beyond its range come to rest at the nearer end."""
    kind = "int" if one.whole else "float"
    return (
        f"def get_{one.attribute}(self) -> Tuple[{kind}]:\n"
        f"    return ({kind}(self.values[{slot}]),)\n"
        f"def set_{one.attribute}(self, value: {kind}) -> int:\n"
        f"    return self.set_value({slot}, float(value), {float(one.param.low)!r}, {float(one.param.high)!r})\n"
    )


def _reset() -> str:
    return (
        f"def get_{RESET}(self) -> Tuple[int]:\n    return (0,)\n"
        f"def set_{RESET}(self, value: int) -> int:\n"
        "    if value != 0:\n        self.reset()\n    return 0\n"
    )
