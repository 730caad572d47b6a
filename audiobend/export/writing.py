"""Which files an export writes, whether it may, and the writing."""

from importlib.util import find_spec
from pathlib import Path

from audiobend.errors import AudiobendError
from audiobend.export.exporting import (
    SUFFIXES,
    Export,
    Exported,
    Progress,
    help_paths,
    write_nn_tilde,
    write_torchscript,
)
from audiobend.io.files import check_not_an_input


def check_target(out: Path, format: str, overwrite: bool, patch: Path | None = None) -> None:
    """Refuse a target that cannot be written, or that would replace what is there; and what is not installed."""
    suffix = SUFFIXES[format]
    if suffix and out.suffix != suffix:
        raise AudiobendError(f"{out}: the name of a {format} file must end in {suffix}, such as {out.stem}{suffix}")
    if not out.parent.is_dir():
        raise AudiobendError(f"{out}: the folder {out.parent} does not exist")
    for path in targets(out, format):
        if patch is not None:
            check_not_an_input(path, [patch])
        if path.exists() and not overwrite:
            raise AudiobendError(f"{path}: is there already; add --overwrite to replace it, or give another name")
    if format == "onnx":
        missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
        if missing:
            raise AudiobendError(f"onnx needs {', '.join(missing)}; install it with: pip install 'audiobend[onnx]'")
    if format == "neutone":
        from audiobend.export.neutone import check_uv

        check_uv()


def targets(out: Path, format: str) -> list[Path]:
    """Return everything that an export will write; of onnx the folder."""
    return [out, *help_paths(out)] if format == "nn~" else [out]


def write(plan: Export, out: Path, advance: Progress = lambda _: None) -> Exported:
    """Write an export.

    Parameters
    ----------
    advance : function of the share done, 0..1
    """
    if plan.format == "onnx":
        from audiobend.export.onnx_files import write_onnx

        return write_onnx(plan, out, advance)
    if plan.format == "neutone":
        from audiobend.export.neutone import write_neutone

        return write_neutone(plan, out, advance)
    return write_nn_tilde(plan, out) if plan.format == "nn~" else write_torchscript(plan, out)
