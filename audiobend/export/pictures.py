"""A picture model with its patch as one file of TorchScript: everything is checked before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from audiobend.bending import Patch
from audiobend.bending.modulation import FOLLOW
from audiobend.errors import PatchError, PictureError, did_you_mean
from audiobend.export.build import audible, compiled, layer_bends
from audiobend.export.contract import unhurried
from audiobend.export.controls import Control, check_controls, every_control, parse_controls
from audiobend.export.exporting import FORMATS, Exported
from audiobend.export.movement import Movement
from audiobend.export.nn_tilde import accessors, save
from audiobend.export.picture_latent import style_steps
from audiobend.export.picture_network import NOISES, PictureNetwork
from audiobend.export.slots import Slots
from audiobend.io.files import write_atomically
from audiobend.networks.stylegan2_model import PictureModel

FORMAT = "torchscript"
_SAMPLE_RATE = 44100
"""Of a sound that nothing here listens to."""
OWN = ("time", "call", "noise", "value")
"""Names that the file has setters of without any patch."""


@dataclass(frozen=True)
class PictureExport:
    """What is to be exported; made by `plan_picture_export`, which refuses what cannot be."""

    model: PictureModel
    patch: Patch
    controls: tuple[Control, ...]
    label: int = 0
    cutoff: int | None = None
    noise: str = "const"

    def facts(self) -> dict[str, Any]:
        """Return what a file says of itself."""
        sizes = self.model.network.architecture
        return {
            "audiobend": version("audiobend"),
            "model": self.model.name,
            "fingerprint": self.model.fingerprint,
            "patch": self.patch.name,
            "seed": self.patch.seed,
            "size": list(sizes.size),
            "latent": sizes.n_latent,
            "levels": sizes.n_levels,
            "style": sizes.n_style,
            "truncation": self.model.mean is not None,
            "cutoff": self.cutoff,
            "class": self.label if sizes.n_classes else None,
            "noise": self.noise,
            "torch": str(torch.__version__),
            "controls": [one.facts() for one in self.controls],
        }


def plan_picture_export(
    model: PictureModel,
    patch: Patch,
    format: str = FORMAT,
    *,
    controls: str | None = None,
    label: int = 0,
    cutoff: int | None = None,
    noise: str = "const",
) -> PictureExport:
    """Check everything about an export without doing any of it.

    Parameters
    ----------
    controls : str or None
        Targets with commas between; None is all that can be turned.
    label : int
        The class that is painted, for models that have classes.
    cutoff : int or None
        Only levels below this are truncated.
    noise : "const", "random" or "none"
        What the file begins with.

    Raises
    ------
    PatchError
        If something in the patch, or one of the controls, cannot be exported.
    PictureError
        If the format is one of sound, or there is no such class or noise.
    """
    check_format(format)
    if noise not in NOISES:
        raise PictureError(f"unknown noise {noise!r}{did_you_mean(noise, NOISES)}")
    n_classes = model.network.architecture.n_classes
    if not 0 <= label < max(n_classes, 1):
        raise PictureError(f"the class must be in 0..{max(n_classes, 1) - 1} for this model, got {label}")
    following = [one.target for one in patch.modulation if one.lfo == FOLLOW]
    if following:
        rule = "follows the input's loudness, and a file of pictures hears nothing"
        raise PatchError(f"modulation: {following[0]} {rule}")
    chosen = () if controls is None else parse_controls(patch, controls)
    plan = audible(model, patch, chosen)
    check_controls(plan, chosen)
    _check_pictures_have(chosen)
    if controls is None:
        chosen = tuple(one for one in every_control(patch, plan) if not one.target.startswith("output/"))
    return PictureExport(model, patch, chosen, label, cutoff, noise)


def check_format(format: str) -> None:
    """Refuse, by name, the formats that are for sound."""
    if format != FORMAT:
        rule = "is for sound" if format in FORMATS else "is no format"
        raise PictureError(f"{format!r} {rule}; a picture model is exported with --format {FORMAT}")


def _check_pictures_have(controls: Sequence[Control]) -> None:
    for one in controls:
        if one.target.startswith("output/"):
            raise PatchError(f"controls: {one.target}: belongs to sound; pictures have no output section")
        if one.attribute in OWN:
            raise PatchError(f"controls: {one.target} would be called {one.attribute!r} in the file, which is taken")


def picture_module(plan: PictureExport) -> "torch.jit.ScriptModule":
    """Return what an exported file holds, compiled."""
    slots = Slots()
    bends = layer_bends(plan.model, audible(plan.model, plan.patch, plan.controls), slots, plan.patch)
    latent = style_steps(plan.model, plan.patch, slots)
    movement = Movement(plan.patch, slots, _SAMPLE_RATE)
    network = PictureNetwork(
        plan.model, plan.patch, bends, latent, movement, slots, label=plan.label, cutoff=plan.cutoff, noise=plan.noise
    ).eval()
    # Modules of one class share their compiled methods, and these methods are this file's alone.
    own = {"__annotations__": PictureNetwork.__annotations__}
    network.__class__ = type(PictureNetwork.__name__, (PictureNetwork,), own)
    scripted = compiled(network)
    names = [one.attribute for one in plan.controls]
    scripted.define(f"def get_attributes(self) -> List[str]:\n    names: List[str] = {names!r}\n    return names\n")
    for one in plan.controls:
        scripted.define(accessors(one, slots[one.target]))
    return scripted


def write_pictures(plan: PictureExport, out: Path) -> Exported:
    """Write the file; it is read again and paints one picture before it takes its name."""
    with write_atomically(out) as temporary:
        save(picture_module(plan), temporary, plan.facts())
        _check_paints(torch.jit.load(str(temporary)), plan.model)
    return Exported([out], plan.facts())


def _check_paints(module: Any, model: PictureModel) -> None:
    sizes = model.network.architecture
    with torch.inference_mode(), unhurried():
        picture = module(torch.zeros(1, sizes.n_latent).fill_(0.5))
    if tuple(picture.shape) != (1, 3, *sizes.size) or not bool(picture.isfinite().all()):
        raise PictureError(f"{model.name}: the exported file paints no picture; please report this")
