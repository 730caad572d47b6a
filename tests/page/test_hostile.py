"""Pages of others, and pages that misbehave, get nowhere; the performance plays on."""

import asyncio
import json

import aiohttp
import pytest

from audiobend.page.file_door import MAX_BYTES
from audiobend.page.guard import Guard
from audiobend.page.server import MAX_PAGES
from tests.page.conftest import page, web

ELSEWHERE = ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"]


def refused(stage, headers, path="/ws", method="GET"):
    """Return the status of a request, as a browser would send it for a page of that origin."""

    async def ask():
        async with web(stage) as session, session.request(method, path, headers=headers) as answer:
            return answer.status, await answer.text()

    return asyncio.run(ask())


UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}
UPGRADE |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "A" * 24}


@pytest.mark.slow
@pytest.mark.parametrize("origin", ELSEWHERE)
@pytest.mark.parametrize("path", ["/ws", "/audio?rate=44100"])
def test_websockets_of_other_origins_are_refused(stage, origin, path):
    assert refused(stage, {**UPGRADE, "Origin": origin}, path) == (403, "only pages of audiobend itself may do this")


@pytest.mark.slow
@pytest.mark.parametrize("origin", ELSEWHERE)
def test_other_origins_cannot_send_files_or_commands(stage, origin):
    for path in ("/api/drop?what=input&name=a.wav", "/api/takes/one/render", "/api/input?kind=card"):
        assert refused(stage, {"Origin": origin}, path, "POST")[0] == 403


@pytest.mark.slow
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_other_names_for_this_machine_are_refused(stage, host):
    for path in ("/", "/api/about", "/api/state", "/static/main.js"):
        assert refused(stage, {"Host": host}, path)[0] in (400, 403)


@pytest.mark.slow
def test_every_answer_carries_the_policy(stage):
    async def ask():
        async with web(stage) as session:
            return [(await session.get(path)).headers for path in ("/", "/api/state", "/nothing", "/static/nothing.js")]

    for headers in asyncio.run(ask()):
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py",
                                  "/static//etc/passwd", "/api/takes/..%2f..%2fpatch", "/api/takes/%2fetc%2fpasswd"])
def test_paths_lead_nowhere(stage, path):
    async def ask():
        from yarl import URL

        async with web(stage) as session:
            return (await session.get(URL(stage.url.rstrip("/") + path, encoded=True))).status

    assert asyncio.run(ask()) in (404, 409)


MALFORMED = ["", "no json", "[", "[" * 100_000, "null", "3", '"do"', "[]", "{}", '{"n": 1}', '{"what": 1}', "\ud83d"]
WRONG = [None, 3, "x", {}, [3], [[]], [[3]], [["/audiobend/mix", {}]], [["/audiobend/mix", None]],
         [["/audiobend/mix", [1]]], [["x" * 300]], [["/audiobend/mix", 10**30]], [["/audiobend/mix", "y" * 5000]],
         [["/audiobend/mix"]] * 300, [["/audiobend/mix"] + [0] * 100]]


@pytest.mark.slow
def test_what_is_no_request_is_answered_and_ignored(stage):
    async def play():
        async with page(stage) as (one, greeting):
            for text in MALFORMED:
                await one.say(text.encode("utf-8", "replace").decode())
                answer = await one.until(lambda told: "fail" in told)
                assert answer["fail"][0][1] == 400
            for given in WRONG:
                await one.say({"n": "w", "do": given})
                answer = await one.until(lambda told: told.get("n") == "w")
                assert answer["fail"], given
            await one.socket.send_bytes(b"\x00" * 100)
            assert "fail" in await one.until(lambda told: "fail" in told)
            for unknown in (["/audiobend/nothing", 1], ["/../..", 1], ["", 1], ["/audiobend/notify", 1], ["//", 1]):
                assert (await one.do(unknown))["fail"][0][1] in (400, 404, 409)
            assert (await one.do(["/audiobend/ping", 7]))["answers"] == [["/audiobend/pong", 7]]
        async with page(stage) as (_, after):
            assert after["state"]["bends"] == greeting["state"]["bends"]

    asyncio.run(play())


@pytest.mark.slow
def test_a_message_that_is_too_large_ends_its_page_and_no_other(stage):
    async def play():
        async with page(stage) as (one, _), page(stage) as (two, _):
            await one.say("x" * (1 << 20))
            while (message := await asyncio.wait_for(one.socket.receive(), 60)).type != aiohttp.WSMsgType.CLOSE:
                assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
            assert (await two.do(["/audiobend/ping", 1]))["ok"]

    asyncio.run(play())


@pytest.mark.slow
def test_uploads_are_capped_and_what_is_no_sound_is_told(stage):
    async def play():
        async with web(stage) as session:
            where = "/api/drop?what=render&name=a.wav"
            claimed = await session.post(where, headers={"Content-Length": str(MAX_BYTES + 1)}, data=_nothing())
            assert claimed.status == 413
            answers = {}
            for path in ("/api/drop", "/api/drop?what=bend", "/api/drop?what=render&name=a.exe", where,
                         "/api/drop?what=input&name=a.wav"):
                answer = await session.post(path, data=b"RIFF, but no sound")
                answers[path] = answer.status, await answer.text()
            return answers

    async def _nothing():
        yield b"x"

    found = asyncio.run(play())
    assert [status for status, _ in found.values()] == [400, 400, 415, 409, 409]
    assert all("Traceback" not in text and text for _, text in found.values())


@pytest.mark.slow
def test_an_upload_without_a_length_is_stopped_at_the_cap(stage, monkeypatch):
    async def endless():
        while True:
            yield bytes(1 << 22)

    async def play():
        async with web(stage) as session:
            try:
                answer = await session.post("/api/drop?what=render&name=a.wav", data=endless())
                return answer.status
            except aiohttp.ClientError:
                return 413    # the connection was closed while we were still sending

    assert asyncio.run(play()) == 413


@pytest.mark.slow
def test_there_are_250_pages_at_most_and_the_next_is_told_so(stage):
    async def play():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            pages = [await session.ws_connect(f"{stage.url}ws") for _ in range(MAX_PAGES)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                await session.ws_connect(f"{stage.url}ws")
            assert error.value.status == 503
            async with session.get(f"{stage.url}ws") as answer:
                assert "250 pages are open" in await answer.text()
            assert (await session.get(f"{stage.url}api/state")).status == 200
            await pages[0].close()
            again = await session.ws_connect(f"{stage.url}ws")
            assert "hello" in json.loads((await again.receive(60)).data)
            for one in pages:
                await one.close()

    asyncio.run(play())


def make_request(remote, **parts):
    from aiohttp.test_utils import make_mocked_request
    from yarl import URL

    url = parts.pop("url", "/")
    request = make_mocked_request(parts.pop("method", "GET"), url, headers={"Host": "192.0.2.1:9080", **parts})
    return request.clone(remote=remote, rel_url=URL(url))


def test_from_another_machine_a_token_opens_once_and_a_cookie_from_then_on():
    guard = Guard("secret")
    there = "192.0.2.9"

    async def passes(request):
        return await guard.checked(request, lambda _: _ok())

    async def _ok():
        from aiohttp import web

        return web.Response(text="in")

    async def play():
        assert (await passes(make_request("127.0.0.1"))).status == 200
        assert (await passes(make_request(there))).status == 401
        assert (await passes(make_request(there, url="/?token=wrong"))).status == 401
        first = await passes(make_request(there, url="/?token=secret"))
        assert (first.status, first.headers["Location"]) == (303, "/")
        cookie = first.cookies["audiobend"]
        assert cookie["httponly"] and cookie["samesite"] == "Strict"
        assert (await passes(make_request(there, Cookie=f"audiobend={cookie.value}"))).status == 200
        assert (await passes(make_request(there, Cookie="audiobend=guess"))).status == 401
        assert (await passes(make_request("192.0.2.10", url="/?token=secret"))).status == 401    # it is used up
        assert (await passes(make_request("192.0.2.10", url=f"/?token={guard.invite()}"))).status == 303

    asyncio.run(play())


