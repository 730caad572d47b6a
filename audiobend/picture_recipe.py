"""What a picture is made of, what its file says about that, and how the same picture is made again from it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiobend.bending import Patch
from audiobend.bending.values import LAST_SEED, shown
from audiobend.errors import AudiobendError, PictureError
from audiobend.io.imagefile import read_facts
from audiobend.io.patchfile import dump_patch, parse_patch
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.picture import Painter
from audiobend.picture_settings import PictureSettings

VERSION = 1
MAX_PICTURES = 100_000
_KEPT = ("truncation", "cutoff", "noise", "label", "precision")


@dataclass(frozen=True)
class Job:
    """What one picture is made of: a seed, and styles ``(level, style)`` and noise where they come from a file."""

    seed: int
    styles: Tensor | None = None
    noise: tuple[Tensor, ...] | None = None


def parse_seeds(text: str) -> list[int]:
    """Read seeds as one types them.

    >>> parse_seeds("0-3,9")
    [0, 1, 2, 3, 9]
    """
    rule = f"--seeds must be whole numbers in 0..{LAST_SEED} and ranges of them, such as 0-15 or 1,5,9"
    seeds: list[int] = []
    for part in text.split(","):
        low, dash, high = (piece.strip() for piece in part.partition("-"))
        if not all(one.isascii() and one.isdigit() and len(one) < 12 for one in (low, high or low)) or (
            dash and not high
        ):
            raise PictureError(f"{rule}; got {shown(text)}")
        first, last = int(low), int(high or low)
        if not first <= last <= LAST_SEED or last - first + len(seeds) >= MAX_PICTURES:
            raise PictureError(f"{rule}, {MAX_PICTURES} at most; got {shown(text)}")
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise PictureError(f"--seeds: each seed may stand there once, got {twice} twice")
    return seeds


def facts_of(painter: Painter, job: Job) -> dict[str, Any]:
    """Return what a picture's file says of how it was made."""
    settings = {name: value for name, value in asdict(painter.settings).items() if name in _KEPT}
    model = {"source": painter.model.source, "fingerprint": painter.model.fingerprint}
    facts = {"version": VERSION, "model": model, "seed": job.seed, "settings": settings}
    facts |= {"directions": painter.model.directions, "patch": dump_patch(painter.plan.drawn())}
    facts |= {} if job.styles is None else {"styles": _packed(job.styles)}
    return facts if job.noise is None else {**facts, "noise": [_packed_map(one) for one in job.noise]}


@dataclass(frozen=True)
class Recipe:
    """What a picture's file says: enough to make it again."""

    model: str
    fingerprint: str
    directions: str
    job: Job
    patch: Patch
    settings: PictureSettings

    def painter(self, model: PictureModel, device: str = "cpu") -> Painter:
        """Return what paints it; `PictureError` where the model is another one."""
        if model.fingerprint != self.fingerprint:
            rule = f"the picture was made by the model {self.fingerprint}"
            raise PictureError(f"{rule}; {model.source or model.name} is {model.fingerprint}: give another --model")
        model = replace(model, directions=self.directions)
        return Painter(model, self.patch, replace(self.settings, device=device))


def read_recipe(path: Path) -> Recipe:
    """Read how a picture was made; `PictureError` where its file does not say, or says what cannot be."""
    facts = read_facts(path)
    try:
        return _recipe(facts)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise PictureError(f"{path}: what this picture says of how it was made is damaged") from None
    except AudiobendError as error:
        raise PictureError(f"{path}: {error}") from None


def _recipe(facts: Mapping[str, Any]) -> Recipe:
    if facts["version"] != VERSION or "sheet" in facts:
        raise PictureError("does not say how it was made; give a single picture that this audiobend wrote")
    model, styles = facts["model"], facts.get("styles")
    seeds = parse_seeds(str(facts["seed"]))
    settings = PictureSettings(**{name: facts["settings"][name] for name in _KEPT})
    noise = None if "noise" not in facts else tuple(_unpacked_map(one) for one in facts["noise"])
    job = Job(seeds[0], None if styles is None else _unpacked(styles), noise)
    patch = parse_patch(facts["patch"])
    return Recipe(str(model["source"]), str(model["fingerprint"]), str(facts["directions"]), job, patch, settings)


def _packed(styles: Tensor) -> dict[str, Any]:
    same = bool((styles == styles[:1]).all())
    kept = (styles[:1] if same else styles).contiguous().numpy().astype("<f4")
    return {"levels": len(styles), "shape": list(kept.shape), "w": base64.b64encode(kept.tobytes()).decode()}


def _unpacked(packed: Mapping[str, Any]) -> Tensor:
    numbers = np.frombuffer(base64.b64decode(packed["w"], validate=True), "<f4").reshape(packed["shape"])
    if numbers.ndim != 2 or not 0 < packed["levels"] <= 64 or len(numbers) not in (1, packed["levels"]):
        raise ValueError
    return torch.from_numpy(numbers.copy()).expand(packed["levels"], -1)


def _packed_map(noise: Tensor) -> dict[str, Any]:
    values = noise[0, 0].numpy().astype("<f2")
    return {"shape": list(values.shape), "noise": base64.b64encode(values.tobytes()).decode()}


def _unpacked_map(packed: Mapping[str, Any]) -> Tensor:
    values = np.frombuffer(base64.b64decode(packed["noise"], validate=True), "<f2").reshape(packed["shape"])
    if values.ndim != 2:
        raise ValueError
    return torch.from_numpy(values.astype(np.float32))[None, None]
