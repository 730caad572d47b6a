"""Many takes of one picture patch: random features drawn anew for each, and a manifest to make each again."""

import hashlib
import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from audiobend.bending import Patch
from audiobend.errors import PictureError
from audiobend.io.files import MARK, write_atomically
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.picture import Painter
from audiobend.picture_files import Painted, paint_files, patch_path, picture_path
from audiobend.picture_recipe import Job
from audiobend.picture_settings import PictureSettings

MANIFEST = "variations.json"


def variation_folder(folder: Path, index: int) -> Path:
    """Return where a variation's pictures and patch lie."""
    return folder / f"{index + 1:02d}"


def variation_files(folder: Path, jobs: Sequence[Job], n: int) -> list[Path]:
    """Return every file that `paint_variations` writes."""
    folders = [variation_folder(folder, index) for index in range(n)]
    pictures = [path for one in folders for path in (patch_path(one), *(picture_path(one, job) for job in jobs))]
    return [*pictures, folder / MANIFEST]


def _advance(on_progress: Callable[[float], None], index: int, n: int, share: float) -> None:
    on_progress((index + share) / n)


def paint_variations(
    model: PictureModel,
    patch: Patch,
    settings: PictureSettings,
    jobs: Sequence[Job],
    folder: Path,
    n: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> list[Painted]:
    """Paint n seeded variations of a patch with random features, each into its own folder, and a manifest.

    Each variation's patch is saved beside its pictures with the features that were drawn, so that the command in the
    manifest makes the same files again, byte for byte.
    """
    replace(patch, seed=patch.seed + n - 1)    # the last seed, too, must be one
    results, entries = [], []
    for index in range(n):
        own = variation_folder(folder, index)
        plan = model.resolve(replace(patch, seed=patch.seed + index))
        drawn = replace(plan.drawn(), name=f"{patch.name} {index + 1}".strip())
        own.mkdir(parents=True, exist_ok=True)
        painter = Painter(model, drawn, settings)
        painted = paint_files(painter, jobs, own, partial(_advance, on_progress, index, n))
        results += painted
        for one in painted:
            digest = hashlib.sha256(one.path.read_bytes()).hexdigest()
            name = one.path.relative_to(folder).as_posix()
            command = shlex.join(["audiobend", "image", "generate", "--again", str(one.path), "--out", "again"])
            entries.append({"file": name, "seed": one.seed, "patch_seed": drawn.seed, "sha256": digest,
                            "patch": patch_path(own).relative_to(folder).as_posix(), "command": command})    # fmt: skip
    manifest = {
        "audiobend-variations": 1,
        "about": MARK,
        "model": model.source,
        "fingerprint": model.fingerprint,
        "settings": asdict(settings),
        "variations": entries,
    }
    with write_atomically(folder / MANIFEST, error=PictureError) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return results
