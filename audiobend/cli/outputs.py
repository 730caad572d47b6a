"""Which files a render will write, and whether it may."""

from dataclasses import dataclass
from pathlib import Path

from audiobend.errors import AudioError


@dataclass(frozen=True)
class Outputs:
    """What is to be written: sounds with their sources; and patches, manifests and pictures beside them."""

    sounds: list[tuple[Path, Path]]
    companions: list[Path]


def plan_outputs(
    sounds: list[Path], out_dir: Path | None, format: str | None, variations: int | None, plot: Path | None
) -> Outputs:
    """Return every file that these words of the command line ask for."""
    from audiobend.rendering import output_path

    if out_dir is not None and out_dir.exists() and not out_dir.is_dir():
        raise AudioError(f"{out_dir}: is a file, not a folder; give --out-dir a folder")
    pictures = [plot] if plot else []
    if variations:
        return _variations(sounds, out_dir, format or "wav", variations, pictures)
    if len(sounds) == 2 and out_dir is None:
        return Outputs([(sounds[0], _named(sounds[1], format))], pictures)
    return Outputs([(source, output_path(source, out_dir, format)) for source in sounds], pictures)


def _variations(sounds: list[Path], folder: Path | None, format: str, n: int, companions: list[Path]) -> Outputs:
    from audiobend.variations import manifest_path, variation_paths

    if len(sounds) == 2 and folder is None:
        raise AudioError("--variations writes many files: leave out OUT, and name a folder with --out-dir")
    jobs: list[tuple[Path, Path]] = []
    for source in sounds:
        paths = variation_paths(source, folder or Path(), format, n)
        jobs += [(source, sound) for sound, _ in paths]
        companions = [*companions, *(patch for _, patch in paths), manifest_path(source, folder or Path())]
    return Outputs(jobs, companions)


def _named(target: Path, format: str | None) -> Path:
    """Return OUT with an ending, where only --format says what it is to be."""
    if format is None or target.suffix.lower() == f".{format}":
        return target
    if target.suffix:
        raise AudioError(f"{target}: the name says {target.suffix[1:]} but --format says {format}; give one of them")
    return target.with_suffix(f".{format}")


def check_outputs(outputs: Outputs, patch: Path | None, overwrite: bool) -> None:
    """Look before the work begins: nothing that is read is overwritten, nor a stranger's file."""
    from audiobend.io.audiofile import written_by_audiobend
    from audiobend.io.files import bears_our_mark, check_not_an_input
    from audiobend.io.soundformats import format_of

    read = [source for source, _ in outputs.sounds] + ([patch] if patch else [])
    for source, target in outputs.sounds:
        if not source.exists():
            raise AudioError(f"{source}: there is no such file")
        format_of(target)
    targets = {target: written_by_audiobend for _, target in outputs.sounds}
    targets |= dict.fromkeys(outputs.companions, bears_our_mark)
    if len(targets) < len(outputs.sounds) + len(outputs.companions):
        names = [target for _, target in outputs.sounds] + outputs.companions
        twice = next(name for name in names if names.count(name) > 1)
        raise AudioError(f"{twice}: two of the inputs would be written to this name; render them into two folders")
    for target, ours in targets.items():
        check_not_an_input(target, read, AudioError)
        if target.is_file() and not overwrite and not ours(target):
            raise AudioError(f"{target}: exists and was not written by audiobend; add --overwrite to replace it")


def make_folder(folder: Path) -> None:
    """Make a folder, or say why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(f"{folder}: this folder cannot be made: {error.strerror}") from None
