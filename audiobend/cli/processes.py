"""What a command of several processes shows, and which of them speaks."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from audiobend.cli.screen import say
from audiobend.errors import AudiobendError, TrainingError

if TYPE_CHECKING:
    from audiobend.train.distributed import Team
    from audiobend.train.schedule import Progress

OnStep = Callable[["Progress", float], None]


def was_restarted(out: Path | None) -> bool:
    """Whether torchrun started this process again; then it goes on where the last one ended."""
    again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"
    return again and out is not None and (out / "checkpoint.pt").exists()


def quieten() -> None:
    """Keep other libraries' warnings off the screen; what matters is said by audiobend."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    for module in ("lightning_fabric", "torch", "tensorboard"):
        warnings.filterwarnings("ignore", module=module)


@contextmanager
def speaking_once(team: "Team") -> Iterator[None]:
    """Let only the first process say what is wrong; the others end without a word. Leaves the team at the end."""
    try:
        yield
    except (AudiobendError, KeyboardInterrupt):
        if not team.leads:
            raise typer.Exit from None
        raise
    except RuntimeError as error:
        if team.size == 1 or "onnect" not in str(error):
            raise
        if not team.leads:
            raise typer.Exit from None
        raise TrainingError("another process of this training has ended; go on with --resume") from error
    finally:
        team.leave()


@contextmanager
def training_screen(quiet: bool) -> Iterator[tuple[Callable[[str], None], OnStep]]:
    """Yield what prints a line, and what moves the bar with the time left where there is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield (lambda _: None) if quiet else say, lambda _progress, _share: None
        return
    from rich import progress as rich
    from rich.console import Console

    what, left = rich.TextColumn("{task.description}"), rich.TextColumn("left")
    bar = rich.Progress(
        what, rich.BarColumn(), left, rich.TimeRemainingColumn(), console=Console(stderr=True), transient=True,
        speed_estimate_period=600, redirect_stdout=sys.stdout.isatty(),
    )
    with bar:
        task = bar.add_task("training", total=1.0)

        def on_step(progress: "Progress", share: float) -> None:
            speed = progress.windows / max(progress.seconds, 1e-9)
            text = f"step {progress.step}  loss {progress.loss:.3f}  KL {progress.kl:.0f}  {speed:.1f} windows/s"
            bar.update(task, completed=share, description=text)

        yield say, on_step
