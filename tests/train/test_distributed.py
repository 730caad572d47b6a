"""Several processes learn what one learns."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from audiobend.errors import TrainingError
from audiobend.train.devices import choose_precision
from audiobend.train.distributed import make_team
from tests.train.small import trainer

PROGRAM = Path(__file__).with_name("small.py")
CLEAN = {name: word for name, word in os.environ.items() if name not in ("LOCAL_RANK", "WORLD_SIZE", "MASTER_PORT")}


def free_port() -> str:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return str(place.getsockname()[1])


def run(*commands: list[str], environments: tuple[dict[str, str], ...] = ({},)) -> None:
    """Run commands side by side."""
    root = {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(words, env=CLEAN | root | more, stderr=subprocess.PIPE, text=True)
        for words, more in zip(commands, environments, strict=True)
    ]
    for one in running:
        _, said = one.communicate(timeout=240)
        assert one.returncode == 0, said


@pytest.fixture(scope="module")
def by_one(tmp_path_factory):
    out = tmp_path_factory.mktemp("one") / "result.pt"
    run([sys.executable, str(PROGRAM), str(out), "cpu", "1"])
    return torch.load(out)


def by_two(way: str, out: Path) -> None:
    program = [str(PROGRAM), str(out)]
    if way == "one command":
        run([sys.executable, *program, "cpu:2", "1"])
    elif way == "torchrun":
        torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", free_port()]
        run([sys.executable, *torchrun, *program, "cpu", "1"])
    else:
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
        words = [sys.executable, *program, "cpu", "2"]
        run(words, words, environments=({**place, "NODE_RANK": "0"}, {**place, "NODE_RANK": "1"}))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["one command", "torchrun", "two machines"])
def test_two_processes_learn_what_one_learns_from_the_same_batches(way, by_one, tmp_path):
    by_two(way, tmp_path / "result.pt")
    two = torch.load(tmp_path / "result.pt")
    assert (by_one["size"], two["size"]) == (1, 2)
    assert two["losses"] == pytest.approx(by_one["losses"], rel=1e-4)
    for weights in ("raw", "average"):
        assert two[weights].keys() == by_one[weights].keys()
        for name, value in by_one[weights].items():
            if name.endswith("0.bias") and not name.startswith("decoder.4"):
                continue    # batch norm takes these off again: their gradients are rounding
            difference = (two[weights][name] - value).abs().max()
            assert difference <= 1e-3 * value.abs().max() + 1e-4, name


def test_a_batch_that_the_processes_cannot_share_is_refused():
    with pytest.raises(TrainingError, match=r"3 processes cannot share batches of 32 .* --batch-size 33"):
        make_team("cpu:3").check_batch(32)


@pytest.mark.parametrize("words", ["tpu", "cpu:x", "cpu:0", "0", "cuda:x", "cuda:7"])
def test_devices_that_are_not_there_are_one_sentence(words):
    with pytest.raises(TrainingError, match="--devices"):
        make_team(words)


def test_precision_is_chosen_by_what_the_processor_has(monkeypatch):
    has: dict[str, bool] = {}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert choose_precision("auto", "cpu", 1.0) == "32"
    has["avx512_bf16"] = True
    assert [choose_precision("auto", "cpu", width) for width in (0.25, 0.5)] == ["32", "bf16"]
    has["amx_bf16"] = True
    assert choose_precision("auto", "cpu", 0.25) == "bf16"
    assert choose_precision("32", "cpu", 1.0) == "32"
    with pytest.raises(TrainingError, match="--precision must be one of auto, 32, bf16"):
        choose_precision("16", "cpu", 1.0)


def test_bf16_learns_what_32_bits_learn():
    losses = {}
    for precision in ("32", "bf16"):
        training = trainer(make_team("cpu", precision=precision), steps=10)
        batch = training.sampler.batch()
        for _ in range(10):
            training.step(batch)
        losses[precision] = training.progress.loss
        assert all(parameter.dtype == torch.float32 for parameter in training.network.parameters())
    assert losses["bf16"] == pytest.approx(losses["32"], rel=0.02)
    assert losses["bf16"] != losses["32"]
