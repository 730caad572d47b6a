"""The way to the server: it connects, says hello, stores what it is told, and comes back after everything that ends."""

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from audiobend.live.rings import Count
from audiobend.plugin.places import command_file
from audiobend.server.place import socket_path
from tests.plugin.peer import Bridge, Engine, Link, Status, Waits
from tests.realtime.rig import noise, wait_for


class Server:
    """A stand-in for the server, that one test tells what to say."""

    def __init__(self, path: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        self._listening.bind(str(path))
        self._listening.listen()
        self._listening.settimeout(20)

    def accept(self) -> "Server":
        """Wait for a connection."""
        self._connection, _ = self._listening.accept()
        self._connection.settimeout(20)
        self._file = self._connection.makefile("rb")
        return self

    def hear(self) -> tuple[list[str], str]:
        """The next message: words, body."""
        *words, size = self._file.readline().decode().split(" ")
        return words, self._file.read(int(size)).decode()

    def say(self, *words: object, body: str = "") -> None:
        self.raw(" ".join(map(str, (*words, len(body.encode())))) + "\n" + body)

    def raw(self, text: str) -> None:
        self._connection.sendall(text.encode())

    def hangs_up(self) -> bool:
        """Whether the other side closes the connection."""
        try:
            return self._file.read(1) == b""
        except OSError:
            return True

    def drop(self) -> None:
        """As if it had been killed."""
        self._file.close()
        self._connection.close()

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    folder = Path(os.path.realpath(tmp_path)) / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("AUDIOBEND_SERVER", str(folder / "s"))
    monkeypatch.setenv("AUDIOBEND_NO_SPAWN", "1")
    return folder / "s"


@pytest.fixture
def server(place):
    server = Server(place)
    yield server
    server.close()


@pytest.fixture
def bridge(native):
    with Bridge(native) as bridge:
        bridge.waits(Waits.NEVER)
        yield bridge


@pytest.fixture
def link(native, bridge, place):
    with Link(native, bridge) as link:
        yield link


def test_both_sides_look_in_the_same_places(native, monkeypatch, tmp_path):
    for variables in ({}, {"XDG_RUNTIME_DIR": str(tmp_path)}, {"AUDIOBEND_SERVER": str(tmp_path / "other")}):
        for name in ("XDG_RUNTIME_DIR", "AUDIOBEND_SERVER"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert native.socket_path().decode() == str(socket_path())
    for config in (None, str(tmp_path)):
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        if config:
            monkeypatch.setenv("XDG_CONFIG_HOME", config)
        assert native.command_path().decode() == str(command_file())


def test_it_says_hello_and_plays_by_what_it_is_told(bridge, link, server):
    link.state = "audiobend-plugin: 1\n# Grüße\n"
    link.connect(48000, 256)
    server.accept()
    assert server.hear() == (["hello", "1", "48000", "256"], "audiobend-plugin: 1\n# Grüße\n")
    with Engine(48000, 256).ready() as engine:
        server.say("news", "of", "later", body="which older plugins pass over")
        server.say("welcome", engine.name, engine.latency.delay, 1, 9001)
        server.say("state", body="patch: {name: low tide}\n")
        assert wait_for(lambda: link.state == "patch: {name: low tide}\n")
        bridge.play(noise(0.5), 256, engine.step)
        assert bridge.status == Status.BENT and bridge.delay == engine.latency.delay
        assert link.told == f"48000 256 {engine.latency.delay}"
        server.drop()
        engine.shared[Count.STOP] = 1
        assert server.accept().hear() == (["hello", "1", "48000", "256"], "patch: {name: low tide}\n")


def test_what_the_host_loads_is_passed_on_while_it_plays_and_begins_anew_where_it_does_not(bridge, link, server):
    link.connect()
    server.accept().hear()
    link.state = "patch: {name: first}\n"
    assert server.hangs_up()
    assert server.accept().hear() == (["hello", "1", "44100", "512"], "patch: {name: first}\n")
    with Engine().ready() as engine:
        server.say("welcome", engine.name, engine.latency.delay, 1, 9001)
        assert wait_for(lambda: bridge.run(noise(0.01)) is not None and engine.shared[Count.PLAYED] > 0)
        link.state = "patch: {name: second}\n"
        assert server.hear() == (["state"], "patch: {name: second}\n")
        link.connect()    # the host stops, and plays from the beginning
        assert server.hangs_up()
    assert server.accept().hear() == (["hello", "1", "44100", "512"], "patch: {name: second}\n")


def test_another_block_size_is_another_connection_and_leaves_the_memory_at_once(bridge, link, server):
    link.connect()
    server.accept().hear()
    with Engine().ready() as engine:
        server.say("welcome", engine.name, engine.latency.delay, 1, 9001)
        assert wait_for(lambda: bridge.run(noise(0.01)) is not None and bridge.status == Status.STARTING)
        assert wait_for(lambda: bridge.run(noise(0.01)) is not None and engine.shared[Count.CALLBACKS] > 0)
        link.connect(44100, 1024)
        before = engine.shared[Count.CALLBACKS]
        bridge.run(noise(0.01))
        assert engine.shared[Count.CALLBACKS] == before
        assert server.hangs_up()
    assert server.accept().hear()[0] == ["hello", "1", "44100", "1024"]


def test_without_a_server_it_is_dry_and_comes_when_one_does(bridge, link, place):
    link.connect()
    sound = noise(0.3)
    assert wait_for(lambda: bridge.run(sound[:1]) is not None and bridge.status == Status.NO_SERVER)
    server = Server(place)
    assert server.accept().hear()[0][0] == "hello"
    server.close()


def test_it_looks_for_a_server_without_working(native, place):
    words = (
        "import sys, time; from pathlib import Path; from tests.plugin.peer import *\n"
        "native = Native(Path(sys.argv[1])); bridge = Bridge(native); link = Link(native, bridge); link.connect()\n"
        "before = time.process_time(); time.sleep(1.0); print(time.process_time() - before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", words, native.path], check=True, cwd=Path(__file__).parents[2], capture_output=True
    )
    assert float(ran.stdout) < 0.1    # seconds of the processor's time


def test_what_the_host_asks_for_anew_is_hoped_for_though_it_was_refused_before(bridge, link, server):
    link.connect()
    for block in (512, 1024, 512):
        link.connect(44100, block)
        while server.accept().hear()[0][-1] != str(block):    # the first may have been asked for already
            pass
        server.say("refuse", body="this machine is full")
        assert wait_for(lambda: bridge.run(noise(0.01)) is not None and bridge.status == Status.REFUSED)
        assert server.hangs_up()


def test_a_refusal_is_told(bridge, link, server, capfd):
    link.connect()
    server.accept().hear()
    server.say("refuse", body="this machine is full")
    assert wait_for(lambda: bridge.run(noise(0.01)) is not None and bridge.status == Status.REFUSED)
    assert server.hangs_up()
    assert "this machine is full" in capfd.readouterr().err


@pytest.mark.parametrize(
    "words",
    ["x" * 300, "welcome\n", "welcome /audiobend-nobody 4416 1 9001 0\n", "welcome /etc 4416 1 9001 0\n", "state -1\n",
     "state 1048577\n", "state 99999999999999999999\n", "state 1e3\n", "state  \n", "\n"],
)    # fmt: skip
def test_nonsense_ends_the_conversation_and_nothing_else(bridge, link, server, words):
    link.state = "what the project has"
    link.connect()
    server.accept().hear()
    server.raw(words)
    assert server.hangs_up()
    assert link.state == "what the project has"
    bridge.run(noise(0.1))


def test_messages_may_come_in_pieces(link, server):
    link.connect()
    server.accept().hear()
    for letter in "news 3\nabcstate 5\nabcde":
        server.raw(letter)
    assert wait_for(lambda: link.state == "abcde")


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_may_enter_is_not_trusted(bridge, link, server, place, mode):
    place.parent.chmod(mode)
    link.connect()
    assert wait_for(lambda: bridge.run(noise(0.01)) is not None and bridge.status == Status.NO_SERVER)
    place.parent.chmod(stat.S_IRWXU)
    assert server.accept().hear()[0][0] == "hello"


def test_a_segment_whose_server_was_killed_is_removed(link, server):
    words = "import sys; from audiobend.live.rings import Shared; from multiprocessing import resource_tracker as r\n"
    words += "s = Shared(); r.unregister(f'/{s.name}', 'shared_memory'); print(s.name, flush=True); sys.stdin.read()"
    owner = subprocess.Popen([sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    name = owner.stdout.readline().strip()
    place = Path("/dev/shm") / name.lstrip("/")
    link.connect()
    server.accept().hear()
    server.say("welcome", name, 4416, 1, 9001)
    assert wait_for(lambda: link.told == "44100 512 4416")
    owner.kill()
    owner.communicate()
    assert place.exists()
    server.drop()
    assert wait_for(lambda: not place.exists())


def test_the_delay_that_was_told_last_is_that_of_a_project_that_opens(native, link, compiled):
    link.told = "48000 512 9000"
    assert [link.delay(48000, 512), link.delay(48000, 64)] == [9000, 8552]
    assert link.delay(44100, 512) == 768 + 2048 + 2048 + 220 + 1024 + 64 + 512
    link.told = "nonsense"
    assert link.delay(48000, 512) != 9000


def test_a_server_is_started_as_the_user_has_said_once(native, tmp_path, place, monkeypatch):
    config, made = tmp_path / "config", tmp_path / "made by it"
    (config / "audiobend").mkdir(parents=True)
    (config / "audiobend" / "server-command").write_text(f"touch\n{made}\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    words = (
        "import sys, time; from pathlib import Path; from tests.plugin.peer import *\n"
        "native = Native(Path(sys.argv[1])); bridge = Bridge(native); link = Link(native, bridge)\n"
        "link.connect(); time.sleep(float(sys.argv[2])); link.__exit__()"
    )
    library = native.path
    run = [sys.executable, "-c", words, library, "0.2"]
    subprocess.run(run, check=True, cwd=Path(__file__).parents[2])    # AUDIOBEND_NO_SPAWN
    assert not made.exists()
    monkeypatch.delenv("AUDIOBEND_NO_SPAWN")
    host = subprocess.Popen([*run[:-1], "60"], cwd=Path(__file__).parents[2])
    try:
        assert wait_for(made.exists)
        made.unlink()
        assert not wait_for(made.exists, 1)    # not again within 30 s
    finally:
        host.kill()
        host.wait()


def test_many_connections_come_and_go_while_sound_runs(native, place):
    """Segments are mapped and let go of under the audio call's feet."""
    server, over = Server(place), threading.Event()
    with Bridge(native) as bridge, Link(native, bridge) as link:
        bridge.waits(Waits.NEVER)
        link.connect()
        sound, out = noise(0.2), []
        host = threading.Thread(target=lambda: [out.append(bridge.run(sound)) for _ in iter(over.is_set, True)])
        host.start()
        for _ in range(20):
            server.accept().hear()
            with Engine().ready() as engine:
                server.say("welcome", engine.name, engine.latency.delay, 1, 9001)
                assert wait_for(lambda engine=engine: engine.shared[Count.CALLBACKS] > 0)
                server.drop()
        over.set()
        host.join()
    server.close()
    assert all(np.isfinite(block).all() for block in out)
