"""OSCQuery: the tree is the table, values are the state's, and no page or client can do harm through it."""

import asyncio
import http.client
import json
import socket

import aiohttp
import pytest

from audiobend.control import Set
from audiobend.errors import ControlError
from audiobend.osc import queryserver
from audiobend.osc.addresses import Table
from audiobend.osc.client import OscClient
from audiobend.osc.encode import encode
from audiobend.osc.parse import parse
from audiobend.osc.query import pieces
from audiobend.osc.queryserver import QueryServer
from audiobend.osc.server import OscServer
from tests.osc.conftest import make_context
from tests.osc.test_peers import eventually


@pytest.fixture
def osc(desk):
    with OscServer(desk, port=0) as running:
        yield running


@pytest.fixture
def server(desk, osc):
    with QueryServer(desk, osc.port) as running:
        yield running


def get(server, path, **headers):
    """The status, and the JSON or the text, of an answer."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    body = answer.read().decode()
    line.close()
    return answer.status, json.loads(body) if answer.status == 200 else body


def leaves(node):
    if "TYPE" in node or "VALUE" in node:
        yield node
    for child in node.get("CONTENTS", {}).values():
        yield from leaves(child)


def test_the_tree_has_every_address_with_its_type_range_and_value(server, desk):
    status, tree = get(server, "/")
    found = {one["FULL_PATH"]: one for one in leaves(tree)}
    known = {one.address: one.row for one in Table(desk.context).leaves(desk.state.patch)}
    assert status == 200 and found.keys() | {"/audiobend/ping"} == known.keys()
    for address, row in known.items():
        if address == "/audiobend/ping":    # it takes anything, which OSCQuery cannot say
            continue
        node = found[address]
        assert node["TYPE"] == row.types and node["DESCRIPTION"] == row.description
        if row.kind == "number":
            assert node["RANGE"] == [{"MIN": row.param.low, "MAX": row.param.high}]
    assert found["/audiobend/bend/fog/radius"]["VALUE"] == [2]
    assert found["/audiobend/bend/fog/features"]["VALUE"] == ["all"]
    assert found["/audiobend/gain"]["UNIT"] == ["gain.db"]
    assert (found["/audiobend/mix"]["ACCESS"], found["/audiobend/panic"]["ACCESS"]) == (3, 2)


def test_every_value_is_the_one_that_osc_tells(server, osc):
    _, tree = get(server, "/audiobend/layer/2/cluster/1")
    told = {one["FULL_PATH"]: one["VALUE"] for one in leaves(tree)}
    with OscClient("127.0.0.1", osc.port) as client:
        for address, value in list(told.items())[::7]:
            (answer,) = client.request(address)
            assert list(answer.args) == pytest.approx(value) if isinstance(value[0], float) else value


def test_a_part_of_the_tree_is_told_with_what_is_below(server):
    status, node = get(server, "/audiobend/bend/fog")
    assert status == 200 and node["FULL_PATH"] == "/audiobend/bend/fog" and node["ACCESS"] == 0
    assert {"on", "mix", "radius", "features", "layer"} <= node["CONTENTS"].keys()
    assert node["CONTENTS"]["radius"]["CONTENTS"]["norm"]["VALUE"] == [2 / 32]


def test_one_attribute_is_asked_for(server, desk):
    desk.apply([Set("output/gain_db", -6.0)])
    assert get(server, "/audiobend/gain?VALUE") == (200, {"VALUE": [-6.0]})
    assert get(server, "/audiobend/gain?RANGE") == (200, {"RANGE": [{"MIN": -60, "MAX": 24}]})
    assert get(server, "/audiobend/panic?VALUE")[0] == 204
    assert get(server, "/audiobend/gain?COLOUR")[0] == 400
    nearest = "there is no address /audiobend/gian; did you mean '/audiobend/gain'?"
    assert get(server, "/audiobend/gian") == (404, nearest)
    assert get(server, "/elsewhere?VALUE")[0] == 404


def test_the_host_is_told_wherever_it_is_asked(server, osc):
    for path in ("/?HOST_INFO", "/audiobend/mix?HOST_INFO"):
        status, info = get(server, path)
        assert (status, info["NAME"], info["OSC_PORT"], info["WS_PORT"]) == (200, "audiobend", osc.port, server.port)
        assert info["OSC_TRANSPORT"] == "UDP" and info["EXTENSIONS"]["LISTEN"] is True


@pytest.mark.parametrize("host, status", [("evil.example", 403), ("127.0.0.1", 200), ("localhost:80", 200), ("", 403)])
def test_only_requests_that_name_this_machine_are_answered(server, host, status):
    assert get(server, "/audiobend/mix", Host=host)[0] == status


def test_pieces_of_the_tree_are_small_whatever_its_size():
    from audiobend.bending import Patch
    from audiobend.control import State

    assert max(map(len, pieces(Table(make_context(8)), State(Patch()), "/"))) < 2000


def talking(server, play, **headers):
    """Run ``play(socket)`` with a WebSocket."""

    async def run():
        url = f"http://127.0.0.1:{server.port}/"
        async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
            return await asyncio.wait_for(play(socket), 30)

    return asyncio.run(run())


def message(packet):
    one = parse(packet).groups[0][1][0]
    return one.address, one.args


def test_what_is_listened_to_is_told_until_it_is_ignored(server, desk):
    async def play(socket):
        for path in ("/audiobend/gain", "/audiobend/mix", "/audiobend/nothing"):
            await socket.send_json({"COMMAND": "LISTEN", "DATA": path})
        await socket.send_json({"COMMAND": "IGNORE", "DATA": "/audiobend/mix"})
        await until_heard(socket)
        desk.apply([Set("output/mix", 0.5)])
        desk.apply([Set("output/gain_db", -6.0)])
        return message(await socket.receive_bytes())

    assert talking(server, play) == ("/audiobend/gain", (-6.0,))


async def until_heard(socket):
    """Wait until what was sent before has arrived."""
    await socket.send_bytes(encode("/audiobend/sync", [1]))
    assert message(await socket.receive_bytes()) == ("/audiobend/synced", (1,))


def test_osc_is_carried_out_and_answered_on_a_websocket(server, desk):
    async def play(socket):
        await socket.send_bytes(encode("/audiobend/bend/fog/radius", [7]))
        await socket.send_bytes(encode("/audiobend/bend/fog/radius"))
        return message(await socket.receive_bytes())

    assert talking(server, play) == ("/audiobend/bend/fog/radius", (7,))
    assert desk.state.patch.bend("fog").params["radius"] == 7


def test_new_addresses_are_told(server, desk):
    async def play(socket):
        await until_heard(socket)
        desk.apply([Set("output/mix", 0.5)])
        await until_heard(socket)
        await socket.send_bytes(encode("/audiobend/layer/1/all/erode", [1]))
        first = await socket.receive_json()
        desk.change_model(make_context(2, "other"))
        return first, await socket.receive_json()

    bends, model = talking(server, play)
    assert bends == {"COMMAND": "PATH_CHANGED", "DATA": "/audiobend/bend"}
    assert model == {"COMMAND": "PATH_CHANGED", "DATA": "/audiobend"}
    assert get(server, "/audiobend/layer/3")[0] == 404


def test_a_page_from_elsewhere_cannot_open_a_websocket(server):
    async def play(socket):
        await until_heard(socket)

    with pytest.raises(aiohttp.WSServerHandshakeError):
        talking(server, play, Origin="http://evil.example")
    talking(server, play, Origin=f"http://127.0.0.1:{server.port}")


WRONG = ["", "{", "[]", "7", '{"COMMAND": "LISTEN"}', '{"COMMAND": [], "DATA": {}}', "[" * 15000]


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:30])
def test_wrong_commands_do_nothing(server, text):
    async def play(socket):
        await socket.send_str(text)
        await socket.send_bytes(b"nonsense")
        await until_heard(socket)

    talking(server, play)


def test_a_message_that_is_too_large_ends_its_websocket_only(server):
    async def play(socket):
        await socket.send_bytes(b"/" * 20000)
        return (await socket.receive()).type

    assert talking(server, play) in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
    assert get(server, "/audiobend/mix?VALUE")[0] == 200


def test_there_are_limits_to_connections_and_to_websockets(server, monkeypatch):
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(queryserver.MAX_CONNECTIONS + 10)]
    assert get(server, "/audiobend/mix?VALUE")[0] == 200
    for one in idle:
        one.close()
    monkeypatch.setattr(queryserver, "MAX_WEBSOCKETS", 0)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        talking(server, until_heard)


def test_a_slow_listener_does_not_hold_up_the_others(server, desk):
    async def play(socket):
        await socket.send_bytes(encode("/audiobend/notify", [1]))
        for n in range(300):
            await socket.send_bytes(encode("/audiobend/dump"))
            if n % 100 == 0:
                assert await asyncio.to_thread(get, server, "/audiobend/mix?VALUE") == (200, {"VALUE": [1.0]})

    talking(server, play)


def test_only_those_that_are_allowed_are_answered(desk):
    with QueryServer(desk, 9001, allow=["10.0.0.0/8"]) as server:
        assert get(server, "/")[0] == 403


def test_a_port_that_is_taken_is_one_sentence_and_free_after_closing(desk):
    with QueryServer(desk, 9001) as first:
        port = first.port
        with pytest.raises(ControlError, match=f"port {port} is taken"):
            QueryServer(desk, 9001, port=port).start()
    first.close()
    with QueryServer(desk, 9001, port=port) as second:
        eventually(lambda: get(second, "/audiobend/mix?VALUE")[0] == 200)
