"""Nothing that was learnt is lost: checkpoints, full disks, resuming."""

import json
import os
import resource
import signal
from contextlib import contextmanager

import pytest
import torch

from audiobend.errors import TrainingError
from audiobend.train.checkpoint import load_checkpoint, save_checkpoint
from audiobend.train.loop import Trainer
from audiobend.train.recipe import Recipe
from audiobend.train.session import train
from audiobend.train.windows import WindowSampler
from tests.train.small import tracks, trainer

TINY = Recipe().changed({"width": 0.015625, "steps": 6, "batch_size": 4, "n_latent": 16})


@contextmanager
def largest_file(n_bytes: int):
    """Refuse to let any file grow beyond this, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)    # an error, not the end of the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def same(a, b) -> bool:
    """Whether two documents with tensors in them are equal, bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("optimiser", [pytest.param("muon", marks=pytest.mark.slow), "adam"])
def test_six_steps_are_three_and_a_new_process_for_three_bit_for_bit(tmp_path, optimiser):
    straight, first = (trainer(steps=6, optimiser=optimiser) for _ in range(2))
    straight.run()

    def stop_at_three(progress):
        first.stop = progress.step == 3

    first.run(stop_at_three)
    save_checkpoint(first.checkpoint(), tmp_path / "checkpoint.pt")
    torch.rand(5)    # what else draws random numbers makes no difference
    resumed = trainer(steps=6, optimiser=optimiser)
    resumed.restore(load_checkpoint(tmp_path / "checkpoint.pt"))
    resumed.run()
    assert first.progress.step == 3
    straight.progress.seconds = resumed.progress.seconds = 0.0
    assert same(straight.checkpoint(), resumed.checkpoint())
    assert same(straight.averaged_network().state_dict(), resumed.averaged_network().state_dict())


@pytest.mark.slow
def test_a_resumed_training_ends_in_the_same_model_file(folder, tmp_path, monkeypatch):
    train([folder], tmp_path / "straight", TINY, report=lambda _: None)
    step = Trainer.step

    def step_and_interrupt(self, windows):
        if self.progress.step == 2 and not (tmp_path / "stopped").exists():
            (tmp_path / "stopped").touch()
            os.kill(os.getpid(), signal.SIGINT)    # in the middle of the third step
        step(self, windows)

    monkeypatch.setattr(Trainer, "step", step_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        train([folder], tmp_path / "parts", TINY, report=lambda _: None)
    assert load_checkpoint(tmp_path / "parts" / "checkpoint.pt")["progress"]["step"] == 3
    with pytest.raises(TrainingError, match="go on with --resume"):
        train([folder], tmp_path / "parts", TINY, report=lambda _: None)
    train([folder], tmp_path / "parts", TINY, resume=True, report=lambda _: None)
    files = [tmp_path / name / "weights.safetensors" for name in ("straight", "parts")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_where_a_checkpoint_cannot_be_written_the_old_one_stays(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint({"recipe": {}, "weights": torch.zeros(10)}, path)
    before = path.read_bytes()
    with largest_file(50_000), pytest.raises(TrainingError, match="cannot be written: the disk is full"):
        save_checkpoint({"recipe": {}, "weights": torch.zeros(100_000)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")    # TensorBoard's own thread
def test_a_disk_that_fills_up_does_not_end_a_training(folder, tmp_path, monkeypatch):
    said, out = [], tmp_path / "m"
    monkeypatch.setattr("audiobend.train.session.EVALUATE_SHARE", 0.01)    # measure, and save, after every step
    step = Trainer.step

    def step_on_a_full_disk(self, windows):
        step(self, windows)
        limit = 100 if 2 <= self.progress.step <= 4 else resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    monkeypatch.setattr(Trainer, "step", step_on_a_full_disk)
    with largest_file(resource.getrlimit(resource.RLIMIT_FSIZE)[1]):
        train([folder], out, TINY, report=said.append)
    text = "\n".join(said)
    assert "the last checkpoint is kept, and training goes on" in text
    assert "curve.jsonl: cannot be written" in text
    assert "the example cannot be shown" in text
    assert load_checkpoint(out / "checkpoint.pt")["progress"]["step"] == 6
    assert (out / "model.yaml").exists()
    assert [json.loads(line)["step"] for line in (out / "curve.jsonl").read_text().splitlines()][-1] == 6


def test_a_disk_that_is_full_from_the_start_is_said_before_anything_is_learnt(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "step", lambda *_: pytest.fail("trained without a checkpoint"))
    with largest_file(1000), pytest.raises(TrainingError, match="cannot be written"):
        train([folder], tmp_path / "m", TINY, report=lambda _: None)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_model_that_cannot_be_written_can_be_had_from_the_checkpoint(folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(TrainingError, match="make room and go on with --resume"):
        patch.setattr("audiobend.train.bundle.save_model", full)
        train([folder], tmp_path / "m", TINY, report=lambda _: None)
    assert not (tmp_path / "m" / "model.yaml").exists()
    train([folder], tmp_path / "m", TINY, resume=True, report=lambda _: None)
    assert (tmp_path / "m" / "model.yaml").exists()


@pytest.mark.slow
def test_a_second_training_into_a_folder_in_use_is_refused(folder, tmp_path, monkeypatch):
    step, said = Trainer.step, []

    def step_and_start_another(self, windows):
        if not said:
            said.append("")
            with pytest.raises(TrainingError) as refused:
                train([folder], tmp_path / "m", TINY, resume=True, report=lambda _: None)
            said[0] = str(refused.value)
        step(self, windows)

    monkeypatch.setattr(Trainer, "step", step_and_start_another)
    train([folder], tmp_path / "m", TINY, report=lambda _: None)
    assert "another training is writing here" in said[0]
    assert not (tmp_path / "m" / "training.lock").exists()


def test_checkpoints_of_other_sounds_or_options_are_refused():
    checkpoint = trainer().checkpoint()
    with pytest.raises(TrainingError, match=r"the checkpoint has kl 0.05, not 0.1"):
        trainer(kl=0.1).restore(checkpoint)
    more = Trainer(trainer().recipe, trainer().codec, WindowSampler(tracks(3), 4, seed=0))
    with pytest.raises(TrainingError, match="the training tracks are not those of the checkpoint"):
        more.restore(checkpoint)
    longer = trainer(steps=9)
    longer.restore(checkpoint)    # to go on for longer is what resuming is for
    assert longer.schedule.n_steps == 9


class Payload:
    def __reduce__(self):
        return os.system, ("touch owned",)


@pytest.mark.parametrize("content", [b"", b"garbage", "half", "payload"])
def test_damaged_checkpoints_are_one_sentence_and_run_nothing(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoint.pt"
    if content == "payload":
        torch.save({"recipe": Payload()}, path)
    elif content == "half":
        save_checkpoint(trainer().checkpoint(), path)
        path.write_bytes(path.read_bytes()[:1000])
    else:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match="checkpoint is damaged"):
        load_checkpoint(path)
    assert not (tmp_path / "owned").exists()


def test_a_checkpoint_of_another_version_is_said_to_be_one(tmp_path):
    torch.save({"recipe": {}, "audiobend-checkpoint": 1}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="written by another version"):
        load_checkpoint(tmp_path / "checkpoint.pt")
