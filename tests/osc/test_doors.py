"""All ways in are on one desk, know of each other, and open together or not at all."""

import socket

import pytest

from audiobend.errors import ControlError
from audiobend.osc.client import OscClient
from audiobend.osc.doors import Doors, Listening
from tests.osc.test_query import get
from tests.osc.test_tcp import Line


def test_every_door_leads_to_the_same_desk_and_tells_all_ports(desk):
    with Doors(desk, Listening(port=0, tcp_port=0, query_port=0)) as doors:
        with OscClient("127.0.0.1", doors.port) as client:
            client.request("/audiobend/gain", [-6.0])
            (by_udp,) = client.request("/audiobend/hello")
        with Line(Port(doors.tcp_port)) as line:
            line.send("/audiobend/gain")
            line.send("/audiobend/hello")
            (_, gain), (_, by_tcp) = line.hear(2)
        assert gain == (-6.0,) and by_udp.args == by_tcp
        assert by_tcp[-3:] == (doors.port, doors.tcp_port, doors.query_port) and all(by_tcp[-3:])
        assert get(Port(doors.query_port), "/audiobend/gain?VALUE") == (200, {"VALUE": [-6.0]})


class Port:
    def __init__(self, port):
        self.port = port


def test_doors_that_are_not_wanted_are_not_there(desk):
    with Doors(desk, Listening(port=0)) as doors, OscClient("127.0.0.1", doors.port) as client:
        (hello,) = client.request("/audiobend/hello")
        assert hello.args[-3:] == (doors.port, 0, 0)


def test_where_one_cannot_be_opened_none_is(desk):
    with Doors(desk, Listening(port=0, tcp_port=0)) as other:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            free = one.getsockname()[1]
        with pytest.raises(ControlError, match=f"port {other.tcp_port} is taken"):
            Doors(desk, Listening(port=free, tcp_port=0, query_port=other.tcp_port)).open()
        Doors(desk, Listening(port=free)).open().close()


def test_only_those_that_are_allowed_come_in_by_any_door(desk):
    where = Listening(port=0, tcp_port=0, query_port=0, allow=["10.0.0.0/8"])
    with Doors(desk, where) as doors:
        with OscClient("127.0.0.1", doors.port) as client, pytest.raises(ControlError, match="nobody answers"):
            client.request("/audiobend/gain", [-6.0], seconds=0.3)
        with Line(Port(doors.tcp_port)) as line:
            assert line.is_closed()
        assert get(Port(doors.query_port), "/audiobend/gain?VALUE")[0] == 403
    assert desk.state.gain_db == 0


@pytest.mark.slow
def test_clients_on_the_network_find_it(desk):
    """On the loopback interface, with a browser of its own."""
    zeroconf = pytest.importorskip("zeroconf")
    where = Listening(port=0, query_port=0, advertise=True)
    with Doors(desk, where) as doors, zeroconf.Zeroconf(interfaces=["127.0.0.1"]) as browser:
        for kind, port in (("_osc._udp.local.", doors.port), ("_oscjson._tcp.local.", doors.query_port)):
            found = browser.get_service_info(kind, f"audiobend {port}.{kind}", timeout=10_000)
            assert found is not None and found.port == port and found.parsed_addresses() == ["127.0.0.1"]


def test_advertising_without_its_package_is_one_sentence(desk, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(ControlError, match=r"pip install 'audiobend\[zeroconf\]'"):
        Doors(desk, Listening(port=0, advertise=True)).open()
