"""From a model and a patch to files: everything is checked before anything is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from audiobend.bending import Patch
from audiobend.errors import AudiobendError, PatchError, did_you_mean
from audiobend.export.build import audible, build_stream
from audiobend.export.contract import check_contract
from audiobend.export.controls import Control, check_controls, every_control, parse_controls
from audiobend.export.help_patches import Help, max_help, pd_help
from audiobend.export.nn_tilde import nn_module, save
from audiobend.io.files import write_atomically
from audiobend.networks.model import Model
from audiobend.spectral.live_settings import LiveSettings

Format = Literal["nn~", "neutone", "torchscript", "onnx"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES = {"nn~": ".ts", "torchscript": ".ts", "neutone": ".nm", "onnx": ""}
MOST_NEUTONE_CONTROLS = 4
PROFILES = ("low", "balanced", "studio")

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Export:
    """What is to be exported; made by `plan_export`, which refuses what cannot be.

    Attributes
    ----------
    controls : what can be turned in the file
    """

    model: Model
    patch: Patch
    settings: LiveSettings
    controls: tuple[Control, ...]
    format: Format
    profile: str

    def facts(self) -> dict[str, Any]:
        """Return what a file says of itself."""
        return {
            "audiobend": version("audiobend"),
            "model": self.model.name,
            "fingerprint": self.model.fingerprint,
            "patch": self.patch.name,
            "seed": self.patch.seed,
            "sample_rate": self.model.codec.sample_rate,
            "channels": self.settings.n_channels,
            "latency": self.settings.latency,
            "latency_parts": self.settings.latency_parts(),
            "profile": self.profile,
            "phase": self.settings.phase,
            "torch": str(torch.__version__),
            "controls": [one.facts() for one in self.controls],
        }


@dataclass(frozen=True)
class Exported:
    """What was written, with what it says of itself."""

    files: list[Path]
    facts: dict[str, Any] = field(default_factory=dict)


def plan_export(
    model: Model,
    patch: Patch,
    format: str,
    *,
    controls: str | None = None,
    profile: str = "balanced",
    phase: str = "input",
    n_channels: int = 1,
) -> Export:
    """Check everything about an export without doing any of it.

    Parameters
    ----------
    format : "nn~", "neutone", "torchscript" or "onnx"
    controls : str or None
        Targets with commas between; None is all that can be turned (of Neutone the first four that are bends').

    Raises
    ------
    PatchError
        If something in the patch, or one of the controls, cannot be exported.
    AudiobendError
        If there is no such format or latency.
    """
    if format not in FORMATS:
        raise AudiobendError(f"unknown format {format!r}{did_you_mean(format, FORMATS)}")
    settings = LiveSettings.profile(profile, phase=phase, n_channels=n_channels)    # type: ignore[arg-type]
    if settings.stride & (settings.stride - 1):
        raise AudiobendError(f"the stride must be a power of two for hosts, got {settings.stride}")
    chosen = () if controls is None else parse_controls(patch, controls)
    plan = audible(model, patch, chosen)
    check_controls(plan, chosen)
    if controls is None:
        chosen = every_control(patch, plan)
    if format == "neutone":
        chosen = _four(chosen, controls is None)
    return Export(model, patch, settings, chosen, format, profile)    # type: ignore[arg-type]


def _four(controls: tuple[Control, ...], by_itself: bool) -> tuple[Control, ...]:
    """Return the controls of Neutone, which has four knobs; by itself the first that are worth one."""
    if by_itself:
        worth = [one for one in controls if not one.target.endswith(("/on", "output/mix", "output/gain_db"))]
        return tuple(worth[:MOST_NEUTONE_CONTROLS])
    if len(controls) > MOST_NEUTONE_CONTROLS:
        names = ", ".join(one.target for one in controls)
        raise PatchError(f"controls: Neutone has {MOST_NEUTONE_CONTROLS} knobs, got {len(controls)}: {names}")
    return controls


def write_torchscript(plan: Export, out: Path) -> Exported:
    """Write a TorchScript file that keeps the contract of nn~."""
    with write_atomically(out) as temporary:
        _write_module(plan, temporary)
    return Exported([out], plan.facts())


def write_nn_tilde(plan: Export, out: Path) -> Exported:
    """Write the same with a patch for Pure Data and one for Max beside it."""
    ratio = plan.settings.stride * 256
    latency, rate = plan.settings.latency, plan.model.codec.sample_rate
    of = Help(out.name, plan.settings.n_channels, rate, latency, ratio, plan.controls)
    written = write_torchscript(plan, out)
    for path, text in zip(help_paths(out), (pd_help(of), max_help(of)), strict=True):
        with write_atomically(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        written.files.append(path)
    return written


def help_paths(out: Path) -> Sequence[Path]:
    """Return where the help patches of an exported file lie."""
    return out.with_name(f"{out.stem}-help.pd"), out.with_name(f"{out.stem}-help.maxpat")


def _write_module(plan: Export, path: Path) -> None:
    stream, slots = build_stream(plan.model, plan.patch, plan.settings, plan.controls)
    save(nn_module(stream, slots, plan.controls), path, plan.facts())
    check_contract(torch.jit.load(str(path)))
