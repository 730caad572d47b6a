"""``audiobend live`` without a sound card, as a process of its own: it ends cleanly whatever ends it."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from urllib.request import urlopen

import numpy as np
import psutil
import pytest
import soundfile as sf

PROGRAM = Path(sys.executable).with_name("audiobend")
SOUND = Path(__file__).parents[2] / "examples" / "sounds" / "pressure.flac"


def shared_memory(pid: int) -> list[Path]:
    return list(Path("/dev/shm").glob(f"audiobend-{pid}-*"))


def cut(path: Path, seconds: float, rate: int = 44100, channels: int = 2) -> Path:
    samples, _ = sf.read(SOUND, frames=round(seconds * rate), dtype="float32", always_2d=True)
    sf.write(path, samples[:, :channels], rate, subtype="PCM_16")
    return path


def sweep(path: Path, seconds: float, rate: int, channels: int) -> Path:
    t = np.arange(round(seconds * rate)) / rate
    tone = 0.5 * np.sin(2 * np.pi * 50 * seconds / np.log(200) * (200 ** (t / seconds) - 1))    # 50 Hz to 10 kHz
    sf.write(path, np.stack([tone] * channels, axis=1) * np.hanning(len(t))[:, None], rate, subtype="PCM_16")
    return path


@pytest.fixture
def start(tiny_bundle, tmp_path):
    """Start ``audiobend live`` with the small model; ends with the test."""
    running = []

    def start(*words) -> subprocess.Popen:
        command = [PROGRAM, "live", "--model", tiny_bundle, "--backend", "torch", "--osc-port", 0, *words]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            list(map(str, command)), stdout=pipe, stderr=pipe, text=True, cwd=tmp_path, start_new_session=True
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def events(process: subprocess.Popen, until: str) -> list[dict]:
    """Read JSON lines up to the first event of a kind."""
    found = []
    for line in process.stdout:
        found.append(json.loads(line))
        if found[-1]["event"] == until:
            return found
    raise AssertionError((found, process.stderr.read()))


def gone(pids: list[int], seconds: float = 10) -> bool:
    end = monotonic() + seconds
    while any(psutil.pid_exists(pid) for pid in pids) and monotonic() < end:
        sleep(0.05)
    return not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (48000, 1)])
def test_a_dry_performance_of_a_file_is_recorded_in_time_and_at_full_length(start, tmp_path, rate, channels):
    track = sweep(tmp_path / "track.wav", 2.0, rate, channels)
    (tmp_path / "dry.yaml").write_text("audiobend: 1\ntransforms: []\noutput: {mix: 0, limiter: false}\n")
    process = start("--no-audio", "--fast", "--from", track, "--record", "out.wav", "--patch", "dry.yaml")
    output, error = process.communicate(timeout=120)
    assert (process.returncode, error.count("\n")) == (0, 1), error
    assert "latency" in output
    before, after = sf.read(track)[0], sf.read(tmp_path / "out.wav")[0]
    assert before.shape == after.shape
    assert np.abs(before - after).max() <= (0 if rate == 44100 else 2e-4)
    assert not shared_memory(process.pid)


@pytest.mark.slow
def test_json_tells_the_facts_and_osc_plays(start, tmp_path):
    from audiobend.osc.client import OscClient

    track = cut(tmp_path / "track.wav", 5.0)
    process = start("--no-audio", "--from", track, "--loop", "--json")
    facts = events(process, "start")[-1]
    assert facts["sample_rate"] == 44100
    assert facts["model"] == "tiny"
    assert facts["clusters"]["3"] == 2
    assert sum(facts["latency_parts_ms"].values()) == pytest.approx(facts["latency_ms"], abs=0.5)
    with OscClient("127.0.0.1", facts["osc"]["port"]) as client:
        assert client.request("/audiobend/ping", [3])[0].args[0] == 3
        client.request("/audiobend/bypass", [1])
        assert client.request("/audiobend/bypass", [])[0].args[0] == 1
    status = events(process, "status")[-1]
    assert status["card"] == "running"
    process.send_signal(signal.SIGINT)
    assert events(process, "end")[-1]["seconds"] > 0
    assert process.wait(20) == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="fills the pipe by its place in /proc")
def test_who_stops_reading_keeps_neither_the_sound_nor_the_end_waiting(start, tmp_path):
    from audiobend.osc.client import OscClient

    track = cut(tmp_path / "track.wav", 3.0)
    process = start("--no-audio", "--from", track, "--loop", "--record", "out.wav", "--json")
    port = events(process, "start")[-1]["osc"]["port"]
    pipe = os.open(f"/proc/{process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while os.write(pipe, b"\n" * 512):
            pass
    os.close(pipe)
    sleep(2.5)    # the next line finds no room
    with OscClient("127.0.0.1", port) as client:
        before = client.request("/audiobend/status")[0].args[1]
        client.request("/audiobend/profile", ["low"])
        end = monotonic() + 30
        while (latency := client.request("/audiobend/status")[0].args[1]) == before and monotonic() < end:
            sleep(0.1)
    assert latency < before
    process.send_signal(signal.SIGTERM)
    assert (process.wait(30), process.stderr.read()) == (141, "")
    assert not shared_memory(process.pid)
    assert len(sf.read(tmp_path / "out.wav")[0]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_performance_leaves_a_whole_recording_and_nothing_else(start, tmp_path, number):
    track = cut(tmp_path / "track.wav", 3.0)
    process = start("--no-audio", "--from", track, "--loop", "--record", "out.wav", "--json")
    page = events(process, "start")[-1]["page"]["url"]
    assert b"<title>" in urlopen(page).read()    # what serves it is there too
    events(process, "status")
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in error
    info = sf.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels) == (44100, 2)
    assert info.frames > 20000
    assert gone(children)
    assert not shared_memory(process.pid)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.wav", "track.wav"]


@pytest.mark.slow
@pytest.mark.parametrize("later", [0.0, 0.3, 1.0, 2.0])
def test_ctrl_c_while_everything_loads_is_one_sentence_at_most(start, tmp_path, later):
    process = start("--no-audio", "--from", cut(tmp_path / "track.wav", 3.0), "--loop")
    loading = psutil.Process(process.pid)
    while not any("multiprocessing" in " ".join(child.cmdline()) for child in loading.children()):
        sleep(0.005)
    sleep(later)
    children = [child.pid for child in loading.children(recursive=True)]
    os.killpg(process.pid, signal.SIGINT)    # as a terminal does: to all of them
    _, error = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert "Traceback" not in error and "KeyboardInterrupt" not in error
    assert gone(children)


@pytest.mark.slow
def test_nothing_outlives_a_supervisor_that_is_killed(start, tmp_path):
    track = cut(tmp_path / "track.wav", 3.0)
    process = start("--no-audio", "--from", track, "--loop", "--json")
    events(process, "status")
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert len(children) >= 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert gone(children)
    assert not shared_memory(process.pid)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--no-audio"], "--no-audio needs a file to play"),
        (["--fast"], "--fast needs --no-audio"),
        (["--loop"], "--loop needs a file to play"),
        (["--sample-rate", "fast"], "--sample-rate must be auto or a whole number in 8000..192000, got 'fast'"),
        (["--blocksize", "0"], "--blocksize must be auto or a whole number in 1..16384, got '0'"),
        (["--no-audio", "--from", "none.wav"], "none.wav: cannot be read: there is no such file"),
        (["--no-audio", "--from", "in.wav", "--record", "in.wav"], "is also the input"),
        (["--no-audio", "--from", "in.wav", "--record", "foreign.wav"], "foreign.wav: exists and was not written by"),
        (["--no-audio", "--from", "in.wav", "--record", "out.xyz"], "wav, flac or ogg"),
        (["--no-audio", "--from", "in.wav", "--patch", "none.yaml"], "none.yaml: cannot be read"),
        (["--no-audio", "--from", "in.wav", "--model", "none"], "none: there is no such model"),
        (["--no-audio", "--from", "in.wav", "--backend", "torhc"], "unknown backend 'torhc'; did you mean 'torch'"),
        (["--no-audio", "--from", "in.wav", "--listen", "nowhere"], "nowhere"),
        (["--channels", "3"], "--channels"),
        (["--latency", "lo"], "'low', 'balanced', 'studio'"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_touched(audiobend, tmp_path, words, sentence):
    cut(tmp_path / "in.wav", 0.1)
    cut(tmp_path / "foreign.wav", 0.1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    status, _, error = audiobend("live", "--osc-port", "0", *words)
    told = [line for line in error.splitlines() if "loading the model" not in line]
    assert (status, len(told)) == (2, 1), error
    assert sentence in told[0]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert not shared_memory(os.getpid())


def test_a_port_in_use_is_a_sentence(audiobend, tmp_path):
    cut(tmp_path / "in.wav", 0.1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        status, _, error = audiobend("live", "--no-audio", "--from", "in.wav", "--osc-port", port)
    assert status == 2
    assert str(port) in error


@pytest.mark.parametrize("verb", ["live", "devices", pytest.param("doctor", marks=pytest.mark.slow)])
def test_without_portaudio_a_sentence_says_how_to_install_it(tmp_path, verb):
    """The real library's words, from a stand-in that finds no library."""
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([PROGRAM, verb], capture_output=True, text=True, env=environment, check=False)
    assert "apt-get install libportaudio2" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if verb == "doctor" else 2)


def test_latency_is_told_for_every_profile(audiobend):
    status, output, _ = audiobend("latency", "--json")
    profiles = json.loads(output)["profiles"]
    assert status == 0
    assert profiles["low"]["total_ms"] <= 75
    assert profiles["balanced"]["total_ms"] <= 140
    for one in profiles.values():
        assert sum(one["parts_ms"].values()) == pytest.approx(one["total_ms"], abs=0.5)
