"""One training session: read the music, train, measure, write the bundle."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from audiobend.errors import AudiobendError
from audiobend.io.modelbundle import load_for_training
from audiobend.networks.spectrogram_vae import SpectrogramVAE
from audiobend.spectral.codec import SpectrogramCodec
from audiobend.train.bundle import heard_before, write_bundle
from audiobend.train.checkpoint import NAME, load_checkpoint, save_checkpoint
from audiobend.train.distributed import Team, alone
from audiobend.train.evaluation import Rows
from audiobend.train.folder import locked, refuse_second_run
from audiobend.train.loop import Trainer
from audiobend.train.music import CACHE_GB, Music, codec_for, read_music
from audiobend.train.recipe import Recipe
from audiobend.train.schedule import Progress
from audiobend.train.watching import Watch
from audiobend.train.widen import widened
from audiobend.train.windows import WindowSampler

Report = Callable[[str], None]
REEL_SHARE = 0.25
SAVE_SECONDS = 120.0
EVALUATE_SECONDS = 600.0
EVALUATE_SHARE = 0.25
"""A short training is measured at each quarter of it."""


def train(
    folders: Sequence[Path],
    out: Path,
    recipe: Recipe,
    validation: Sequence[str] = (),
    reels: Sequence[str] = (),
    resume: bool = False,
    report: Report = print,
    on_step: Callable[[Progress, float], None] = lambda _progress, _share: None,
    *,
    weights: Mapping[str, float] | None = None,
    team: Team | None = None,
    attempt: int = 0,
    cache_gb: float = CACHE_GB,
) -> Rows:
    """Train a spectrogram VAE on folders of sound and write it as a bundle.

    Parameters
    ----------
    folders : sequence of Path
        Searched through for sound files.
    out : Path
        The bundle's folder; a checkpoint, the learning curve and the log lie there too.
    validation : sequence of str
        Names (or parts of names) of tracks that are kept out of training and measured instead; by default about
        every tenth track.
    reels : sequence of str
        Words in names of files that are collections of short sounds; they share a quarter of the windows.
    on_step : callable
        Takes the progress and the share done, 0..1, after every step of the first process.
    weights : mapping of str to float
        Share of the windows for tracks whose folder or name holds these words.
    team : Team, optional
        The processes that train together, launched; default is this one alone, on the processor.
    attempt : int
        How often this training was started again because gradients were no numbers: other windows are drawn then.
    cache_gb : float >= 0
        Most that spectrogram columns may take on disk; sounds beyond it are read again window by window.

    Returns
    -------
    dict
        Fidelity of the model, of the mean spectrum and of silence on the validation tracks; empty in all processes
        but the first.

    Raises
    ------
    TrainingError
        One sentence, if training cannot start or go on; `DivergedError` if another process should be tried.
    KeyboardInterrupt
        After Ctrl-C, when the checkpoint is written.
    """
    team = team or alone()
    report = report if team.leads else lambda _: None
    out = out.resolve()
    team.first(lambda: refuse_second_run(out, resume))

    def read() -> Music:
        return read_music(folders, validation, report, cache_gb)

    music = team.first(read) or read()    # the first process fills the cache that the others find
    recipe, first, codec = _beginning(recipe, music, report)
    shares = dict(weights or {}) | {reel: REEL_SHARE / len(reels) for reel in reels}
    sampler = WindowSampler(music.training, recipe.batch_size, recipe.seed, shares, recipe.augmentation)
    sampler.copy().batch((team.rank, team.size))    # refuses what cannot be shared before anything is written
    trainer = Trainer(recipe, codec, sampler, first, team)
    with ExitStack() as stack, closing(trainer):
        team.first(lambda: stack.enter_context(locked(out, resume)))
        if resume:
            trainer.restore(team.share(team.first(lambda: load_checkpoint(out / NAME))))
            if attempt:
                trainer.go_another_way(attempt)
        else:    # so that --resume works from the first step on
            team.first(lambda: save_checkpoint(trainer.checkpoint(), out / NAME))
        watch = Watch(trainer, out, music.measured, music.example, report) if team.leads else None
        with _ctrl_c_between_steps(trainer):
            report(music.in_words())
            trainer.run(_Rounds(trainer, watch, out, report, on_step).after_step)
        team.first(lambda: save_checkpoint(trainer.checkpoint(), out / NAME))
        if trainer.share_done < 1:
            report(f"saved {out / NAME}; go on with --resume")
            raise KeyboardInterrupt
        return team.first(lambda: write_bundle(trainer, music, out, watch, report) if watch else {}) or {}


def _beginning(
    recipe: Recipe, music: Music, report: Report
) -> tuple[Recipe, SpectrogramVAE | None, SpectrogramCodec]:
    """Return first weights and codec; a model that training starts from decides what its network is like."""
    if not recipe.start_from:
        return recipe, None, codec_for(recipe, music.training)
    narrow, codec = load_for_training(recipe.start_from)
    network = {"n_latent": narrow.n_latent, "activation": narrow.activation, "output": narrow.output}
    recipe = recipe.changed(network)
    first = widened(narrow, recipe.width, recipe.seed)
    if heard := heard_before(recipe.start_from, music.held_out):
        report(f"{recipe.start_from} was trained on {', '.join(heard)}: the figures of such tracks flatter")
    report(f"begins from {recipe.start_from}, width {narrow.width:g}, at width {recipe.width:g}")
    return recipe, first, codec


class _Rounds:
    """What is done between steps: take note, save, measure."""

    def __init__(
        self,
        trainer: Trainer,
        watch: Watch | None,
        out: Path,
        report: Report,
        on_step: Callable[[Progress, float], None],
    ) -> None:
        self.trainer, self.watch, self.out, self.report, self.on_step = trainer, watch, out, report, on_step
        self.saved_at = self.measured_at = trainer.progress.seconds
        self.share_measured = trainer.share_done

    def after_step(self, progress: Progress) -> None:
        if self.watch is None:
            return
        self.watch.step(progress)
        if self.trainer.trouble:
            return    # the last checkpoint is from before it
        share = self.trainer.share_done
        self.on_step(progress, share)
        measures = share < 1 and (
            progress.seconds - self.measured_at >= EVALUATE_SECONDS or share - self.share_measured >= EVALUATE_SHARE
        )
        if measures or progress.seconds - self.saved_at >= SAVE_SECONDS:
            self.saved_at = progress.seconds
            self._save()
        if measures:
            self.measured_at, self.share_measured = progress.seconds, share
            self.watch.evaluate(progress)

    def _save(self) -> None:
        try:
            save_checkpoint(self.trainer.checkpoint(), self.out / NAME)
        except AudiobendError as error:
            self.report(f"{error}; the last checkpoint is kept, and training goes on")


@contextmanager
def _ctrl_c_between_steps(trainer: Trainer) -> Iterator[None]:
    """Let Ctrl-C end training after the step that is being done, never in the middle of one."""
    if threading.current_thread() is not threading.main_thread():
        yield    # only the main thread may look for signals
        return

    def stop(_signal: int, _frame: object) -> None:
        trainer.stop = True    # the first process's counts

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
