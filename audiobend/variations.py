"""Many takes of one patch: random features drawn anew for each, and a manifest to make each again."""

import hashlib
import json
import shlex
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from audiobend.bending import Patch
from audiobend.engine import Settings
from audiobend.errors import AudioError, PatchError
from audiobend.io.files import MARK, write_atomically
from audiobend.io.patchfile import dump_patch
from audiobend.networks.model import Model
from audiobend.rendering import Rendered, output_path, render_file


def variation_paths(source: Path, folder: Path, format: str, n: int) -> list[tuple[Path, Path]]:
    """Return sound and patch of each variation."""
    sounds = [output_path(source, folder, format, f"{index + 1:02d}") for index in range(n)]
    return [(sound, sound.with_suffix(".yaml")) for sound in sounds]


def manifest_path(source: Path, folder: Path) -> Path:
    """Return where the manifest of a sound's variations lies."""
    return folder / f"{source.stem}.variations.json"


def _command(source: Path, target: Path, patch: Path, model: Model, settings: Settings) -> list[str]:
    """Return the words that render a variation again."""
    words = ["audiobend", "render", str(source), str(target), "--patch", str(patch), "--model", model.source]
    words += ["--phase", settings.phase, "--quality", settings.quality]
    return words if settings.iterations is None else [*words, "--iterations", str(settings.iterations)]


def _advance(on_progress: Callable[[float], None], index: int, n: int, share: float) -> None:
    on_progress((index + share) / n)


def render_variations(
    source: Path,
    folder: Path,
    model: Model,
    patch: Patch,
    n: int,
    settings: Settings | None = None,
    format: str = "wav",
    on_progress: Callable[[float], None] = lambda _: None,
) -> list[Rendered]:
    """Write n seeded variations of a patch with random features, and a manifest (stochastic layers, section 5.3).

    Each variation's patch is saved beside it with the features that were drawn, so that
    ``audiobend render SOURCE OUT --patch VARIATION.yaml`` makes the same file again, bit for bit.
    """
    replace(patch, seed=patch.seed + n - 1)    # the last seed, too, must be one
    folder.mkdir(parents=True, exist_ok=True)
    results, entries = [], []
    for index, (target, patch_path) in enumerate(variation_paths(source, folder, format, n)):
        plan = model.resolve(replace(patch, seed=patch.seed + index))
        drawn = replace(plan.drawn(), name=f"{patch.name} {index + 1}".strip())
        advance = partial(_advance, on_progress, index, n)
        own = replace(settings or Settings(), seed=drawn.seed)
        result = render_file(source, target, model, model.resolve(drawn), own, advance)
        with write_atomically(patch_path, error=PatchError) as temporary:
            temporary.write_text(f"# A variation, {MARK}.\n{dump_patch(drawn)}", encoding="utf-8")
        results.append(result)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        command = shlex.join(_command(source, target, patch_path, model, own))
        entry = {"file": target.name, "patch": patch_path.name, "seed": drawn.seed, "sha256": digest}
        entries.append({**entry, "command": command})
    manifest = {
        "audiobend-variations": 1,
        "about": MARK,
        "input": str(source),
        "model": model.name,
        "fingerprint": model.fingerprint,
        "settings": asdict(settings or Settings()),
        "variations": entries,
    }
    with write_atomically(manifest_path(source, folder), error=AudioError) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return results
