"""Whoever dies, stalls or talks rubbish harms nobody else, and leaves nothing behind."""

import os
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest

from audiobend.bending import Patch
from audiobend.live.rings import Count
from audiobend.server.project import Project, project_text
from tests.server.plugin import Plugin, dial, engines_of, until

MEMORY = Path("/dev/shm")


def segments(pid: int) -> list[Path]:
    return list(MEMORY.glob(f"audiobend-{pid}-*"))


def play(plugin: Plugin, song, n: int = 20) -> np.ndarray:
    """Some blocks as a host in real time hands them over: it waits for nobody."""
    return np.concatenate([plugin.pass_on(song[i * 512 : (i + 1) * 512]) for i in range(n)])


def bent(plugin: Plugin, song) -> bool:
    play(plugin, song, 1)
    return bool(plugin.shared[Count.IS_BENT])


@pytest.mark.parametrize(
    ("rubbish", "sentence"),
    [
        (b"\x00\xff\xfe" * 200, "the line of a message may have 256 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n", "a message must begin with a line of words"),
        (b"state 0\n", "the first message must be hello, got 'state'"),
        (b"hello 2 44100 512 0\n", "this server speaks protocol 1; install the plugin that belongs to it"),
        (b"hello 1 44100 0\n", "hello must name protocol, sample rate and largest block"),
        (b"hello 1 44100 999999 0\n", "the largest block must be in 1..32768 samples, got 999999"),
        (b"hello 1 7 512 0\n", "the sample rate must be in 8000..192000 Hz, got 7"),
        (b"hello 1 44100 512 99999999\n", "the body of a message may have 1048576 bytes, got 99999999"),
        (b"hello 1 44100 512 3\n\xff\xfe\xfd", "the body of 'hello' is no text in UTF-8"),
        (b"hello 1 44100 512 5\nx: 12", "it must begin with 'audiobend-plugin: 1'"),
        (b"hello 1 44100 512 36\naudiobend-plugin: 1\npatch: {bends: 3}", "the project's state cannot be read"),
        (b"hello 1 44100 512 39\naudiobend-plugin: 1\nmodel: no-such-model\n", "there is no such model"),
    ],
)
def test_rubbish_is_answered_with_a_sentence_and_the_connection_ends(server, rubbish, sentence):
    connection = dial(server.path)
    connection.settimeout(60)
    connection.sendall(rubbish)
    answer = b""
    while data := connection.recv(4096):
        answer += data
    connection.close()
    line, _, body = answer.partition(b"\n")
    assert line == b"refuse %d" % len(body)
    assert sentence in body.decode()
    assert not segments(server.pid)


def test_a_message_that_is_not_known_is_passed_over(server):
    with server.plugin() as plugin:
        plugin.send("dance quickly", "a body")
        plugin.ready()
        assert not plugin.is_over.is_set()


def test_a_state_that_cannot_be_read_ends_the_instance_with_a_sentence(server):
    with server.plugin() as plugin:
        plugin.ready()
        plugin.send("state", "rubbish: [")
        assert plugin.is_over.wait(60)
        assert plugin.refusal.startswith("the project's state cannot be read")
    until(lambda: not segments(server.pid))


def test_one_instance_more_than_allowed_is_refused_and_taken_when_another_goes(server):
    plugins = [server.plugin() for _ in range(3)]
    refused = server.plugin()
    assert refused.refusal == "this server takes 3 instances, as it was told with --max-instances"
    for _ in range(10):
        plugins.pop().close()
        plugins.append(server.plugin())    # at once: the server may hear of this first
        assert not plugins[-1].refusal
    for plugin in plugins:
        plugin.close()


def test_a_second_server_says_that_there_is_one(server, audiobend, monkeypatch):
    monkeypatch.setenv("AUDIOBEND_SERVER", str(server.path))
    status, _, error = audiobend("server")
    assert status == 2
    assert error == f"audiobend: {server.path}: another server answers here; end it first\n"


@pytest.mark.parametrize(("option", "whose"), [("--listen", "OSC"), ("--page-listen", "page")])
def test_an_address_that_is_not_this_machines_is_refused_at_once(audiobend, monkeypatch, place, option, whose):
    monkeypatch.setenv("AUDIOBEND_SERVER", str(place() / "s"))
    status, _, error = audiobend("server", option, "192.0.2.1")
    assert status == 2
    hint = "use 127.0.0.1, or 0.0.0.0 for all it has"
    assert error.splitlines()[-1] == f"audiobend: {whose}: this machine has no address '192.0.2.1' to listen at; {hint}"


def test_many_who_say_nothing_keep_nobody_out(server):
    silent = [dial(server.path) for _ in range(30)]
    with server.plugin() as plugin:
        plugin.ready()
    for connection in silent:
        connection.close()


@pytest.fixture
def alone(server):
    """The server, when those before have gone."""
    until(lambda: not segments(server.pid) and not engines_of(server.pid))
    return server


def test_an_instance_is_gone_with_its_connection(alone):
    server = alone
    plugin = server.plugin().ready()
    engines = engines_of(server.pid)
    assert len(engines) == 1 and len(segments(server.pid)) == 1
    assert [oct(path.stat().st_mode & 0o777) for path in segments(server.pid)] == ["0o600"]
    assert oct(server.path.stat().st_mode & 0o777) == "0o600"
    plugin.close()
    until(lambda: not segments(server.pid) and not engines_of(server.pid))
    assert not any(psutil.pid_exists(pid) for pid in engines)


def test_a_killed_engine_is_dry_sound_in_time_and_then_bent_again_as_it_was(alone, tiny_bundle, song):
    server = alone
    state = project_text(Project(str(tiny_bundle), patch=Patch().add(3, "invert", id="x")))
    with server.plugin(state=state) as plugin:
        plugin.ready()
        play(plugin, song)
        plugin.set(mix=0.5)
        play(plugin, song)
        plugin.shared[Count.WAITS] = 0
        (engine,) = engines_of(server.pid)
        os.kill(engine, signal.SIGKILL)
        until(lambda: not plugin.shared[Count.READY])
        heard, late = play(plugin, song, 60), plugin.shared[Count.LATE]
        dry = np.concatenate([np.zeros((plugin.latency, 2), np.float32), song])[: len(heard)]
        assert late > 0 and np.array_equal(heard[-10240:-512], dry[-10240:-512])
        until(lambda: plugin.shared[Count.READY])
        until(lambda: bent(plugin, song))
        assert engines_of(server.pid) != [engine]
        until(lambda: plugin.states and "mix: 0.5" in plugin.states[-1])


@pytest.mark.slow
def test_nothing_is_left_of_a_killed_server_and_the_next_one_takes_its_place(start, song):
    first = start()
    plugin = first.plugin(waits=False).ready()
    until(lambda: bent(plugin, song))
    pids = [process.pid for process in psutil.Process(first.pid).children(recursive=True)]
    first.kill()
    assert plugin.is_over.wait(60)
    heard = play(plugin, song, 60)    # dry, in time
    dry = np.concatenate([np.zeros((plugin.latency, 2), np.float32), song])[: len(heard)]
    assert np.array_equal(heard[-5120:], dry[-5120:])
    plugin.close()
    until(lambda: not segments(first.pid) and not any(psutil.pid_exists(pid) for pid in pids))
    assert first.path.exists()    # nobody answers there
    second = start(folder=first.path.parent)
    with second.plugin(waits=False) as plugin:
        plugin.ready()
        until(lambda: bent(plugin, song))
    second.close()
    assert not first.path.exists()


@pytest.mark.slow
def test_memory_and_sockets_of_a_killed_server_are_removed_by_the_doctor(start, audiobend, monkeypatch):
    server = start()
    plugin = server.plugin().ready()
    helpers = psutil.Process(server.pid).children()
    for helper in helpers:
        helper.kill()    # Python's own keeper of shared memory among them
    server.kill()
    plugin.close()
    assert segments(server.pid) and server.path.exists()
    monkeypatch.setenv("AUDIOBEND_SERVER", str(server.path))
    status, output, _ = audiobend("doctor", "--clean")
    assert status == 0
    assert str(server.path) in output and "audiobend-" in output
    assert not segments(server.pid) and not server.path.exists()
    assert audiobend("doctor", "--clean")[1] == "nothing is left behind\n"
