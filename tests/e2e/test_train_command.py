"""``audiobend train`` as one runs it: in processes of its own, stopped, killed, fed with what cannot be used."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from audiobend.io.modelbundle import load_model
from audiobend.train.checkpoint import load_checkpoint
from tests.conftest import EXAMPLES

ROOT = Path(__file__).parents[2]
TINY = ["--width", "0.015625", "--batch-size", "4", "--devices", "cpu", "--threads", "1"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """A few seconds of real sound in two files, and one that is none."""
    folder = tmp_path_factory.mktemp("sounds") / "music"
    folder.mkdir()
    for name in ("pressure", "harvest_food"):
        samples, rate = sf.read(EXAMPLES / "sounds" / f"{name}.flac", frames=3 * 44100)
        sf.write(folder / f"{name}.wav", samples, rate)
    (folder / "broken.wav").write_text("not a sound")
    return folder


def program(folder: Path, change: str = "") -> list[str]:
    """Return a command that is `audiobend`, with a part of it changed."""
    path = folder / "changed.py"
    path.write_text(
        "import os\nimport audiobend.train.session as session\nfrom audiobend.train.loop import Trainer\n"
        f"{change}\n"
        "if __name__ == '__main__':\n    from audiobend.cli import main\n    main()\n"
    )
    return [sys.executable, str(path), "train"]


def run(words: list[str], **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, timeout=840, **options)


BREAKS = """
step = Trainer.step
def broken(self, windows):
    breaks = self.progress.step >= 2 and {condition}
    step(self, windows * float('nan') if breaks else windows)
Trainer.step = broken
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("devices", ["cpu", "cpu:2"])
def test_after_five_bad_steps_a_new_process_goes_on(music, tmp_path, devices):
    words = program(tmp_path, BREAKS.format(condition="'AUDIOBEND_RESTARTS' not in os.environ"))
    done = run([*words, str(music), "--out", str(tmp_path / "m"), "--steps", "9", *TINY, "--devices", devices])
    assert done.returncode == 0, done.stderr
    assert "step 3: the gradients of encoder.0.0.weight and" in done.stdout
    assert "starting anew from the checkpoint of step 0" in done.stdout
    assert done.stdout.count("for training") == 2
    assert load_model(tmp_path / "m").card["training"]["steps"] == 9
    assert load_model(tmp_path / "m").clusters


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_restarts_that_help_nothing_come_to_an_end(music, tmp_path):
    words = program(tmp_path, BREAKS.format(condition="True"))
    done = run([*words, str(music), "--out", str(tmp_path / "m"), "--steps", "9", *TINY])
    assert done.returncode == 2
    assert done.stdout.count("starting anew from the checkpoint of step 0") == 3
    assert done.stderr.startswith("audiobend: 3 restarts from the checkpoint of step 0 came to gradients")
    assert done.stderr.count("\n") == 1
    assert load_checkpoint(tmp_path / "m" / "checkpoint.pt")["progress"]["step"] == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_9_at_any_moment_leaves_a_checkpoint_to_go_on_from(music, tmp_path):
    """Every step is followed by a checkpoint here, so most kills come into one."""
    often = "session.SAVE_SECONDS = 0.0"
    words = [*program(tmp_path, often), str(music), "--out", str(tmp_path / "m"), "--steps", "40", *TINY]
    path, moments, steps = tmp_path / "m" / "checkpoint.pt", random.Random(7), [0]
    for _ in range(3):
        resumes = ["--resume"] if path.exists() else []
        running = subprocess.Popen([*words, *resumes], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        assert any("for training" in line for line in running.stdout), "it did not begin"
        time.sleep(moments.uniform(0.2, 3))
        running.send_signal(signal.SIGKILL)
        running.wait()
        steps.append(load_checkpoint(path)["progress"]["step"])
    assert steps == sorted(steps)
    assert steps[-1] > 0
    done = run([*words, "--resume"])
    assert done.returncode == 0, done.stderr
    assert load_model(tmp_path / "m").card["training"]["steps"] == 40
    curve = [json.loads(line)["step"] for line in (tmp_path / "m" / "curve.jsonl").read_text().splitlines()]
    assert curve[-1] == 40


@pytest.mark.slow
@pytest.mark.parametrize("devices", ["cpu", "cpu:2"])
def test_ctrl_c_saves_in_every_number_of_processes(music, tmp_path, devices):
    words = [*program(tmp_path), str(music), "--out", str(tmp_path / "m"), "--steps", "100000", *TINY]
    running = subprocess.Popen(
        [*words, "--devices", devices], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        start_new_session=True,
    )
    assert any("for training" in line for line in running.stdout)
    time.sleep(2)
    os.killpg(running.pid, signal.SIGINT)    # as a terminal does: to all of them
    out, error = running.communicate(timeout=120)
    assert (running.returncode, error) == (130, "audiobend: stopped\n")
    assert "go on with --resume" in out
    assert load_checkpoint(tmp_path / "m" / "checkpoint.pt")["progress"]["step"] > 0


@pytest.mark.slow
def test_the_smoke_test_runs_every_part_and_leaves_nothing(music, tmp_path):
    done = run([*program(tmp_path), str(music), "--smoke-test", *TINY], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for part in ("muon: data, 2 steps", "adam: data, 2 steps", "clusters and render work", "everything works"):
        assert part in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["changed.py"]


@pytest.mark.slow
@pytest.mark.parametrize("config", ["small", "half", "further", "paper"])
def test_shipped_configurations_train(music, tmp_path, config):
    width = [] if config in ("half", "further") else ["--width", "0.03125"]    # theirs: the first model's
    words = ["--config", config, *width, "--batch-size", "2", "--steps", "1", "--devices", "cpu", "--threads", "1"]
    done = run([*program(tmp_path), str(music), "--out", str(tmp_path / "m"), *words])
    assert done.returncode == 0, done.stderr
    card = load_model(tmp_path / "m").card
    assert card["architecture"]["output"] == ("tanh" if config == "paper" else "linear")
    assert ("started_from" in card["training"]) == (config in ("half", "further"))
    if config in ("half", "further"):
        shipped = load_model("corpus-quarter")
        assert card["training"]["started_from"]["fingerprint"] == shipped.fingerprint
        assert load_model(tmp_path / "m").codec.mean_db.equal(shipped.codec.mean_db)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "--out", "m"], "nowhere: there is no such folder"),
        ([".", "--out", "m"], "no sound files here"),
        (["{music}"], "give the new model's folder with --out"),
        (["{music}", "--out", "m", "--resume"], "no checkpoint to resume from"),
        (["{music}", "--out", "m", "--validation", "presure", "--minutes", "0.05"], "did you mean 'pressure'?"),
        (["{music}/broken.wav", "--out", "m"], "none of the files could be used"),
        (["{music}", "--out", "m", "--config", "smal"], "did you mean 'small'?"),
        (["{music}", "--out", "m", "--minutes", "1", "--epochs", "1"], "give one of minutes, epochs and steps"),
        (["{music}", "--out", "m", "--start-from", "corpus"], "no such model"),
        (["{music}", "--out", "m", "--start-from", "corpus-quarter", "--width", "0.3"], "whole multiple"),
        (["{music}", "--out", "m", "--devices", "tpu"], "--devices must be auto"),
        (["{music}", "--out", "m", "--devices", "cpu:5"], "5 processes cannot share batches of 32"),
        (["{music}", "--out", "m", "--precision", "8"], "--precision must be one of"),
        (["{music}", "--out", "{music}/broken.wav"], "is a file, not a folder"),
    ],
)
def test_wrong_training_commands_are_one_sentence(audiobend, music, tmp_path, words, sentence):
    status, _, error = audiobend("train", *(word.format(music=music) for word in words))
    assert status == 2
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_json_is_all_that_is_printed(audiobend, music):
    status, out, _ = audiobend("train", music, "--out", "m", "--steps", "2", *TINY, "--json")
    assert status == 0
    assert set(json.loads(out)) == {"model", "mean spectrum", "silence"}
    assert np.isfinite(json.loads(out)["model"]["lsd_all"])
