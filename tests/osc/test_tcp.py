"""OSC on connections: both ways of telling packets apart, and nobody who can stop it for the others."""

import random
import socket
import subprocess
import time

import pytest
from pythonosc.tcp_client import SimpleTCPClient

from audiobend.control import Set
from audiobend.errors import ControlError
from audiobend.osc import tcp
from audiobend.osc.encode import encode
from audiobend.osc.framing import Frames, checked
from audiobend.osc.parse import MAX_DATAGRAM, parse
from audiobend.osc.server import OscServer
from audiobend.osc.tcp import TcpServer
from tests.osc.packets import killers, mutated, sound_packets
from tests.osc.test_peers import eventually, needs


@pytest.fixture
def server(desk):
    with TcpServer(desk) as running:
        yield running


class Line:
    """A connection, and the messages that come on it."""

    def __init__(self, server, framing="length"):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.frames = Frames(framing)

    def send(self, address, *args):
        self.socket.sendall(self.frames.framed(encode(address, args)))

    def hear(self, n=1):
        told = []
        while len(told) < n:
            data = self.socket.recv(65536)
            assert data, "the connection was closed"
            told += [parse(one).groups[0][1][0] for one in self.frames.feed(data)]
        return [(one.address, one.args) for one in told]

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.mark.parametrize("framing", ["length", "slip"])
def test_values_are_set_and_told_in_the_framing_that_was_heard(server, desk, framing):
    with Line(server, framing) as line:
        line.send("/audiobend/bend/fog/radius", 5)
        line.send("/audiobend/bend/fog/radius")
        assert line.hear() == [("/audiobend/bend/fog/radius", (5,))]
    assert desk.state.patch.bend("fog").params["radius"] == 5


@pytest.mark.parametrize("mode", ["1.0", "1.1"])
def test_python_oscs_client_is_answered(server, mode):
    client = SimpleTCPClient("127.0.0.1", server.port, mode=mode)
    client.send_message("/audiobend/ping", [3])
    answer = next(client.get_messages(10))
    assert (answer.address, answer.params) == ("/audiobend/pong", [3])
    client.close()


@needs("oscsend")
def test_liblo_sets_values(server, desk):
    words = ["oscsend", f"osc.tcp://127.0.0.1:{server.port}", "/audiobend/gain", "f", "-6"]
    subprocess.run(words, check=True)
    eventually(lambda: desk.state.gain_db == -6)


@pytest.mark.parametrize("framing", ["length", "slip"])
def test_any_split_of_the_bytes_gives_the_same_packets(framing):
    rng = random.Random(5)
    packets = [*sound_packets(), bytes([0xC0, 0xDB, 0xDC, 0xDD] * 8)]
    stream = b"".join(Frames(framing).framed(one) for one in packets)
    for _ in range(50):
        frames, found, position = Frames(), [], 0
        while position < len(stream):
            size = rng.choice([1, 2, 7, 50, 5000])
            found += frames.feed(stream[position : position + size])
            position += size
        assert found == packets and frames.framing == framing and not frames.problem


def test_changes_by_udp_reach_subscribers_on_a_connection(server, desk):
    with OscServer(desk, port=0) as udp, Line(server) as line:
        line.send("/audiobend/notify", 1)
        assert line.hear() == [("/audiobend/done", ("/audiobend/notify", 1, 32))]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(encode("/audiobend/mix", [0.5]), ("127.0.0.1", udp.port))
            assert line.hear(2) == [("/audiobend/mix", (0.5,)), ("/audiobend/undo/count", (1,))]


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\x7f\xff" + b"x" * 100,
        (MAX_DATAGRAM + 1).to_bytes(4, "big"),
        b"\xc0" + b"/" * (2 * MAX_DATAGRAM + 10),
    ],
)
def test_a_stream_that_is_no_osc_is_disconnected_and_others_are_not(server, desk, stream):
    with Line(server) as other, Line(server) as broken:
        other.send("/audiobend/ping", 1)
        other.hear()
        broken.socket.sendall(stream)
        assert broken.is_closed()
        other.send("/audiobend/ping", 2)
        assert other.hear() == [("/audiobend/pong", (2,))]
    assert server.counters.rejected == 1


def test_what_came_whole_before_a_broken_packet_is_carried_out(server, desk):
    with Line(server) as line:
        line.socket.sendall(line.frames.framed(encode("/audiobend/gain", [-6.0])) + b"\x7f\xff\xff\xff")
        assert line.is_closed()
    eventually(lambda: desk.state.gain_db == -6)


def test_mutated_packets_on_a_connection_are_survived(server, desk):
    rng = random.Random(11)
    sound = [one for one in sound_packets() if not any(word in one for word in (b"panic", b"gain", b"load", b"morph"))]
    bad = [one for one in killers().values() if 0 < len(one) <= MAX_DATAGRAM]
    with Line(server) as line:
        for n in range(40):
            packets = [rng.choice(bad) if rng.random() < 0.2 else mutated(rng.choice(sound), rng) for _ in range(10)]
            packets = [one for one in packets if len(one) <= MAX_DATAGRAM]
            with Line(server) as attacker:
                attacker.socket.sendall(b"".join(map(attacker.frames.framed, packets)))
            line.send("/audiobend/gain", -n)
            line.send("/audiobend/sync", n)
            while ("/audiobend/synced", (n,)) not in line.hear():
                continue
            assert desk.state.gain_db == -n


def test_a_reader_that_is_slow_holds_up_nobody_and_costs_a_bounded_buffer(server, desk):
    with Line(server) as slow, Line(server) as quick:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = slow.frames.framed(encode("/audiobend/dump"))
        slow.socket.settimeout(0.2)
        for n in range(4000):
            try:
                slow.socket.sendall(request)
            except TimeoutError:
                break
            if server.counters.unsent > 100:
                break
            if n % 100 == 0:
                quick.send("/audiobend/ping", n)
                assert quick.hear() == [("/audiobend/pong", (n,))]
        assert server.counters.unsent > 0
        kept = max(len(one.unsent) for one in server._connections.values())
        assert kept <= 2 * tcp.MAX_UNSENT
        quick.send("/audiobend/ping", 5)
        assert quick.hear() == [("/audiobend/pong", (5,))]


def test_there_is_a_limit_to_connections_and_the_silent_make_room(server, monkeypatch):
    lines = [Line(server) for _ in range(tcp.MAX_CONNECTIONS)]
    for line in lines:
        line.send("/audiobend/ping", 1)
        line.hear()
    with Line(server) as late:
        assert late.is_closed()
    monkeypatch.setattr(tcp, "SILENT_SECONDS", 0.0)
    with Line(server) as late:
        late.send("/audiobend/ping", 2)
        assert late.hear() == [("/audiobend/pong", (2,))]
    assert lines[0].is_closed()
    for line in lines:
        line.socket.close()


def test_a_connection_that_ends_is_no_subscriber_any_more(server, desk):
    with Line(server) as line:
        line.send("/audiobend/notify", 1)
        line.hear()
    eventually(lambda: not server._connections)
    desk.apply([Set("output/mix", 0.25)])
    with Line(server) as line:
        line.send("/audiobend/notify", 1)
        assert line.hear() == [("/audiobend/done", ("/audiobend/notify", 1, 32))]


def test_only_those_that_are_allowed_are_heard(desk):
    with TcpServer(desk, allow=["10.0.0.0/8"]) as server, Line(server) as line:
        assert line.is_closed()
    with TcpServer(desk, allow=["127.0.0.1"]) as server, Line(server) as line:
        line.send("/audiobend/ping", 1)
        assert line.hear() == [("/audiobend/pong", (1,))]


def test_a_framing_can_be_insisted_on(desk):
    with TcpServer(desk, framing="slip") as server, Line(server, "length") as line:
        line.send("/audiobend/gain", -6)
        time.sleep(0.1)
    assert desk.state.gain_db == 0
    with pytest.raises(ControlError, match="auto, length or slip"):
        checked("morse")


def test_a_port_that_is_taken_is_one_sentence(server, desk):
    with pytest.raises(ControlError, match=f"port {server.port} is taken"):
        TcpServer(desk, port=server.port).start()
