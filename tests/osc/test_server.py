"""The server with a real socket: it answers, it outlives anything, it says why it cannot start."""

import logging
import random
import socket
import threading
import time

import pytest
from pythonosc.udp_client import SimpleUDPClient

from audiobend.bending import Patch
from audiobend.control import Set, State
from audiobend.errors import ControlError
from audiobend.osc.client import OscClient
from audiobend.osc.desk import Desk
from audiobend.osc.encode import encode
from audiobend.osc.server import OscServer, listen_warning
from tests.osc.conftest import make_context
from tests.osc.packets import killers, mutated, sound_packets
from tests.osc.test_peers import eventually


@pytest.fixture
def server(desk):
    with OscServer(desk, port=0) as running:
        yield running


@pytest.fixture
def client(server):
    with OscClient("127.0.0.1", server.port) as one:
        yield one


def told(answers):
    return [(one.address, one.args) for one in answers]


def test_values_are_set_and_told(client, desk):
    assert told(client.request("/audiobend/bend/fog/radius", [5])) == []
    assert desk.state.patch.bend("fog").params["radius"] == 5
    assert told(client.request("/audiobend/bend/fog/radius")) == [("/audiobend/bend/fog/radius", (5,))]


def test_python_oscs_client_is_answered_at_its_own_port(server):
    with SimpleUDPClient("127.0.0.1", server.port) as client:
        client.send_message("/audiobend/ping", [3])
        answer = next(client.get_messages(10))
    assert (answer.address, answer.params) == ("/audiobend/pong", [3])


def test_pings_are_answered_while_others_wait_their_turn(server, desk, monkeypatch):
    carried_out, begun, goes_on = [], threading.Event(), threading.Event()
    receive = server._responder.receive

    def slow(datagram, *words):
        receive(datagram, *words)
        if b"ping" not in datagram:
            begun.set()
            goes_on.wait(0.05)
            carried_out.append(datagram)

    monkeypatch.setattr(server._responder, "receive", slow)
    with OscClient("127.0.0.1", server.port) as flooding, OscClient("127.0.0.1", server.port) as client:
        for n in range(100):
            flooding.send("/audiobend/gain", [-float(n % 50)])
        assert begun.wait(10)
        client.send("/audiobend/ping", [1])
        answer = next(client.receive(10))
        assert (answer.address, answer.args) == ("/audiobend/pong", (1,))
        assert len(carried_out) < 100
        goes_on.set()
        eventually(lambda: len(carried_out) == 100 and desk.state.gain_db == -49)


def test_every_valid_message_among_malicious_ones_is_carried_out(server, client, desk):
    rng = random.Random(9)
    sound = [one for one in sound_packets() if b"bypass" not in one and b"panic" not in one]
    attacker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bad = [one for one in killers().values() if len(one) < 60_000]
    for round_ in range(40):
        for _ in range(20):
            packet = rng.choice(bad) if rng.random() < 0.2 else mutated(rng.choice(sound), rng)
            attacker.sendto(packet, ("127.0.0.1", server.port))
        client.request("/audiobend/gain", [-round_], seconds=30)
        assert desk.state.gain_db == -round_
    attacker.close()
    assert server.counters.rejected > 100 and server.counters.received >= 40 * 22


def test_nothing_is_lost_where_the_sender_waits_for_its_turn(server, client, desk):
    received = server.counters.received
    for start in range(0, 5000, 100):
        for n in range(start, start + 99):
            client.send("/audiobend/bend/fog/radius", [n % 32])
        client.request("/audiobend/seed", [start], seconds=30)
        assert desk.state.seed == start
    assert server.counters.received - received == 50 * 101


def test_a_mistake_of_whoever_listens_does_not_end_osc(server, client, desk, caplog):
    def break_down(before, after):
        raise RuntimeError("no memory")

    desk._on_change = break_down
    with caplog.at_level(logging.ERROR, "audiobend.osc"):
        client.send("/audiobend/mix", [0.5])
        eventually(lambda: "OSC goes on" in caplog.text)
        desk._on_change = lambda before, after: None
        client.request("/audiobend/mix", [0.25])
    assert desk.state.mix == 0.25


def test_refused_packets_are_logged_sparingly(server, client, caplog):
    with caplog.at_level(logging.WARNING, "audiobend.osc"):
        for _ in range(300):
            client._socket.send(b"nonsense")
        client.request("/audiobend/ping")
    assert server.counters.rejected == 300
    assert 1 <= len(caplog.records) <= 2


def test_changes_by_others_reach_subscribers_without_being_asked_for(client, desk):
    client.request("/audiobend/notify", [1])
    desk.apply([Set("fog/radius", 16)])
    message = next(client.receive(10))
    assert (message.address, message.args) == ("/audiobend/bend/fog/radius", (16,))


def test_the_monitor_tells_every_change(server, client):
    with OscClient("127.0.0.1", server.port) as other:
        later = threading.Timer(0.2, other.request, ("/audiobend/gain", [-12.0]))
        later.start()
        heard = next(one for one in client.monitor(20) if one.address == "/audiobend/gain")
        later.join()
    assert heard.args == (-12.0,)


def test_a_port_that_is_taken_is_one_sentence(server, desk):
    with pytest.raises(ControlError, match=f"port {server.port} is taken"):
        OscServer(desk, port=server.port).start()


@pytest.mark.parametrize("address, port", [("203.0.113.7", 0), ("nowhere.invalid", 0), ("127.0.0.1", 70000)])
def test_an_address_that_is_not_here_is_one_sentence(desk, address, port):
    with pytest.raises(ControlError, match="OSC: "):
        OscServer(desk, address, port).start()


def test_the_port_is_free_again_after_closing(desk):
    with OscServer(desk, port=0) as first:
        port = first.port
    first.close()
    with OscServer(desk, port=port) as second, OscClient("127.0.0.1", port) as client:
        assert second.port == port
        assert told(client.request("/audiobend/ping", [1])) == [("/audiobend/pong", (1,))]


def test_only_those_that_are_allowed_are_heard(desk):
    for allow, heard in ((["10.0.0.0/8"], False), (["10.0.0.0/8", "127.0.0.1"], True)):
        with OscServer(desk, port=0, allow=allow) as server, OscClient("127.0.0.1", server.port) as client:
            if heard:
                client.request("/audiobend/ping")
            else:
                with pytest.raises(ControlError, match="nobody answers"):
                    client.request("/audiobend/ping", seconds=0.5)
    with pytest.raises(ControlError, match="--allow must be"):
        OscServer(desk, port=0, allow=["the studio"])


def test_who_listens_beyond_this_machine_is_warned():
    assert listen_warning("127.0.0.1") == listen_warning("localhost") == ""
    assert "every machine" in listen_warning("0.0.0.0") and "every machine" in listen_warning("studio.local")
    assert "192.168.1.0/24" in listen_warning("0.0.0.0", ["192.168.1.0/24"])


def test_nobody_at_the_other_end_is_one_sentence():
    with OscClient("127.0.0.1", 9) as client, pytest.raises(ControlError, match=r"nobody answers at 127\.0\.0\.1:9"):
        client.request("/audiobend/ping", seconds=0.5)


def test_a_message_for_later_comes_without_another_packet():
    desk = Desk(State(Patch()), make_context())
    from tests.osc.test_parse import at, bundle

    with OscServer(desk, port=0) as server, OscClient("127.0.0.1", server.port) as client:
        client.request("/audiobend/notify", [1])
        with OscClient("127.0.0.1", server.port) as other:
            other._socket.send(bundle(encode("/audiobend/mix", [0.5]), tag=at(time.time() + 0.2)))
        assert next(one for one in client.receive(10) if one.address == "/audiobend/mix").args == (0.5,)
