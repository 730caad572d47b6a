"""Neutone FX: a ``.nm`` file, made by neutone_sdk in an environment of its own.

The SDK wants versions of its own, so it does not come with audiobend: uv makes an environment for it, once, and runs
`neutone_side` there on the compiled file.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from audiobend.errors import AudiobendError
from audiobend.export.build import build_stream
from audiobend.export.controls import Control
from audiobend.export.exporting import Export, Exported, Progress
from audiobend.export.nn_tilde import nn_module, save
from audiobend.export.slots import Slots
from audiobend.io.files import write_atomically
from audiobend.networks.model import Model

SDK = "neutone-sdk==1.5.2"
PYTHON = "AUDIOBEND_NEUTONE_PYTHON"
"""Environment variable with a Python that has neutone_sdk; without it uv fetches one."""
_SIDE = Path(__file__).with_name("neutone_side.py")
_LONGEST = {"name": 30, "short": 150, "long": 500, "technical": 500, "citation": 150, "tag": 15}
CITATION = "Broad, Leymarie, Grierson: Network Bending (2021); SpectrogramVAE, Entropy 24(1):28 (2022)"


def check_uv() -> None:
    """Refuse where nothing can make an environment for the SDK."""
    if PYTHON not in os.environ and shutil.which("uv") is None:
        raise AudiobendError(
            "neutone needs uv, which makes an environment for neutone_sdk; install it with: pip install uv, "
            f"or let {PYTHON} name a Python that has neutone_sdk"
        )


def write_neutone(plan: Export, out: Path, advance: Progress = lambda _: None, *, thorough: bool = False) -> Exported:
    """Write a ``.nm`` file.

    Parameters
    ----------
    thorough : bool
        Run the SDK's checks of a submission too: three sounds are rendered into the file, minutes of work.

    Raises
    ------
    AudiobendError
        With the SDK's last words, if one of its checks fails.
    """
    check_uv()
    stream, slots = build_stream(plan.model, plan.patch, plan.settings, plan.controls)
    module = nn_module(stream, slots, plan.controls)
    advance(0.2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(module, folder / "core.ts", plan.facts())
        spec = folder / "spec.json"
        spec.write_text(json.dumps(_spec(plan, slots, folder, thorough)), encoding="utf-8")
        told = _run(spec)
        advance(0.9)
        with write_atomically(out) as temporary:
            shutil.copyfile(folder / "model.nm", temporary)
    return Exported([out], {**plan.facts(), "neutone": told})


def command(spec: Path) -> list[str]:
    """Return the words that run the other side."""
    python = os.environ.get(PYTHON)
    if python:
        return [python, str(_SIDE), str(spec)]
    version = torch.__version__.partition("+")[0]    # of the file: both sides read and write alike
    pins = [SDK, f"torch=={version}", f"torchaudio=={version}"]
    words = ["uv", "run", "--no-project", "--python", f"{sys.version_info[0]}.{sys.version_info[1]}"]
    return [*words, *(f"--with={pin}" for pin in pins), "python", str(_SIDE), str(spec)]


def _run(spec: Path) -> list[str]:
    """Return the checks that the SDK names as it runs them."""
    environment = {**os.environ, "PYTHONPATH": "", "LOGLEVEL": "INFO"}
    done = subprocess.run(command(spec), capture_output=True, text=True, env=environment, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    if done.returncode != 0 or not (spec.parent / "model.nm").is_file():
        # Of an error in compiled code the last lines are the source; what went wrong stands above them.
        told = [line.strip() for line in lines if re.match(r"\s*(\w+\.)*\w*(Error|Exception)\b", line)]
        last = told[-1] if told else (lines[-1] if lines else "it said nothing")
        raise AudiobendError(f"neutone_sdk refused the file: {last}")
    said = (re.match(r"INFO:neutone_sdk\S*:(.+)", line) for line in lines)
    return [one[1].strip() for one in said if one]


def _spec(plan: Export, slots: Slots, folder: Path, thorough: bool) -> dict[str, Any]:
    return {
        "file": str(folder / "core.ts"),
        "folder": str(folder),
        "channels": plan.settings.n_channels,
        "latency": plan.settings.latency,
        "sample_rate": plan.model.codec.sample_rate,
        "ratio": plan.settings.stride * 256,
        "thorough": thorough,
        "knobs": [_knob(one, slots) for one in plan.controls],
        "card": card(plan),
    }


def _knob(one: Control, slots: Slots) -> dict[str, Any]:
    low, high = one.param.low, one.param.high
    return {
        "name": one.target,
        "words": f"{one.target}, {one.param.span}",
        "default": (one.value - low) / (high - low),
        "slot": slots[one.target],
        "low": low,
        "high": high,
        "whole": one.whole,
    }


def card(plan: Export) -> dict[str, Any]:
    """Return what Neutone shows, from the model's card and the patch, within Neutone's lengths."""
    model, patch = plan.model, plan.patch
    name = patch.name or model.name
    bends = ", ".join(dict.fromkeys(bend.transform for bend in patch.bends if bend.on)) or "nothing"
    training, metrics = model.card.get("training", {}), model.card.get("metrics", {}).get("model", {})
    tracks, error = training.get("tracks"), metrics.get("lsd_all")
    facts = [f"Spectrogram VAE of width {model.network.width:g}, latent {model.network.n_latent}, {model.name}"]
    facts += [f"trained on {tracks} recordings"] if tracks else []
    facts += [f"{error} dB from the sound where nothing is bent"] if error else []
    texts = {
        "name": name,
        "short": f"A bent neural network: {bends} inside a spectrogram VAE.",
        "long": f"The patch '{name}' of audiobend. Sound runs through a network that was bent inside: {bends}. "
        f"Latency {plan.settings.latency} samples. {licence(model)}",
        "technical": "; ".join(facts) + ".",
        "citation": CITATION,
    }
    short = {key: _cut(text, _LONGEST[key]) for key, text in texts.items()}
    return {**short, "authors": ["audiobend"], "tags": ["bending", "VAE", "spectral"], "version": "1"}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def licence(model: Model) -> str:
    """Return what the model's card says about the licence of its weights; nothing where there is no card."""
    from audiobend.io.modelbundle import find_model

    try:
        text = (find_model(model.source) / "card.md").read_text(encoding="utf-8")
    except (OSError, AudiobendError):
        return ""
    found = re.search(r"\*\*(Licence[^*]*)\*\* *([^\n,]*)", text)
    return f"{found[1]} {found[2].rstrip('.')}." if found else ""
