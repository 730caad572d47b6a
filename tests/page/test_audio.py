"""A browser as the sound card: what it plays comes back bit for bit when bypassed, and nothing is ever late."""

import asyncio
import io
import json
import struct

import aiohttp
import numpy as np
import pytest
import soundfile as sf

from tests.page.conftest import Stage, page, web

pytestmark = pytest.mark.slow
HEAD = struct.Struct("<II")
FRAMES = 512
SECONDS = 10


@pytest.fixture(scope="module")
def studio(tiny_bundle, tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("studio"), tiny_bundle, "--browser")
    yield stage
    stage.close()


async def exchanged(socket, sound: np.ndarray, rate: int, ahead: int = 16) -> np.ndarray:
    """Send blocks as a browser does, ``ahead`` of them under way; return what was played, as long."""
    blocks = sound.reshape(-1, FRAMES, sound.shape[1])
    free = asyncio.Semaphore(ahead)
    begun = asyncio.get_running_loop().time()

    async def send():
        for number, block in enumerate(blocks):
            await free.acquire()
            await asyncio.sleep(begun + (number - ahead) * FRAMES / rate - asyncio.get_running_loop().time())
            await socket.send_bytes(HEAD.pack(number, FRAMES) + block.astype("<f4").tobytes())

    sending, played = asyncio.ensure_future(send()), []
    for number in range(len(blocks)):
        message = await asyncio.wait_for(socket.receive(), 60)
        assert HEAD.unpack_from(message.data) == (number, FRAMES)
        played.append(np.frombuffer(message.data, "<f4", offset=HEAD.size).reshape(FRAMES, -1))
        free.release()
    await sending
    return np.concatenate(played)


@pytest.mark.parametrize("channels", [1, 2])
def test_ten_seconds_bypassed_come_back_bit_for_bit_and_no_block_is_late(studio, channels):
    rng = np.random.default_rng(channels)
    sound = (0.1 * rng.standard_normal((SECONDS * 44100 // FRAMES * FRAMES, 1))).astype(np.float32)
    sound = np.repeat(sound, channels, axis=1)    # the engine has one channel: both sides must be the same

    async def play():
        async with page(studio) as (one, greeting):
            assert greeting["hello"]["browser_audio"] is True
            await one.do(["/audiobend/bypass", 1])
            await one.until(lambda told: told.get("status", {}).get("is_bent"))
            before = (await one.until(lambda told: "status" in told))["status"]
            url = f"{studio.url}audio?rate=44100&channels={channels}"
            async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
                greeting = json.loads((await socket.receive(60)).data)
                played = await exchanged(socket, sound, greeting["rate"])
            one.heard.clear()
            after = (await one.until(lambda told: "status" in told))["status"]
            return greeting, played, before, after

    greeting, played, before, after = asyncio.run(play())
    delay = greeting["latency_frames"]
    assert played.shape == sound.shape
    np.testing.assert_array_equal(played[delay:], sound[:-delay])
    assert after["late_blocks"] == before["late_blocks"] and after["xruns"] == before["xruns"]


def test_a_bend_is_heard_in_the_browser(studio):
    rng = np.random.default_rng(5)
    sound = (0.1 * rng.standard_normal((3 * 44100 // FRAMES * FRAMES, 1))).astype(np.float32)

    async def play():
        async with page(studio) as (one, _):
            await one.do(["/audiobend/bypass", 0], ["/audiobend/mix", 1])
            url = f"{studio.url}audio?rate=44100&channels=1"
            async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
                delay = json.loads((await socket.receive(60)).data)["latency_frames"]
                return delay, await exchanged(socket, sound, 44100)

    delay, played = asyncio.run(play())
    assert not np.array_equal(played[delay:], sound[:-delay]) and np.abs(played[2 * delay :]).max() > 0


def test_what_a_browser_plays_is_recorded_and_downloaded_bit_for_bit(studio):
    rng = np.random.default_rng(7)
    sound = (0.1 * rng.standard_normal((3 * 44100 // FRAMES * FRAMES, 1))).astype(np.float32)

    async def play():
        async with page(studio) as (one, _), web(studio) as http:
            await one.do(["/audiobend/bypass", 1])
            async with aiohttp.ClientSession() as session:
                url = f"{studio.url}audio?rate=44100&channels=1"
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    await socket.receive(60)
                    playing = asyncio.ensure_future(exchanged(socket, sound, 44100))
                    await one.until(lambda told: told.get("status", {}).get("out_db", -120) > -40)
                    done = await one.do(["/audiobend/recording/start", "from a browser"])
                    assert done["answers"] == [["/audiobend/recording/start", "from a browser"]]
                    await one.told("/audiobend/recording/name", "from a browser")
                    await one.until(lambda told: told.get("status", {}).get("recording_seconds", 0) > 0.7)
                    await one.do(["/audiobend/recording/stop"])
                    await one.until(lambda told: "from a browser" in told.get("state", {}).get("recordings", []))
                    async with http.get("/api/recordings") as answer:
                        (facts,) = await answer.json()
                    async with http.get("/api/recordings/from%20a%20browser") as answer:
                        assert answer.headers["Content-Disposition"].endswith("from%20a%20browser.wav")
                        file = await answer.read()
                    for name in ("none", "..%2Fscenes%2Fx", "%2E%2E"):
                        async with http.get(f"/api/recordings/{name}") as answer:
                            assert answer.status in (404, 409)
                    return await playing, facts, file

    played, facts, file = asyncio.run(play())
    samples, rate = sf.read(io.BytesIO(file), dtype="int32", always_2d=True)
    assert rate == 44100 and facts["seconds"] == round(len(samples) / rate, 2) > 0.6 and facts["bytes"] == len(file)
    whole = np.rint(played.astype(np.float64) * 2**23).astype(np.int64)
    part = samples.astype(np.int64) >> 8
    at = [one for one in np.flatnonzero(whole[:, 0] == part[0, 0]) if np.array_equal(whole[one:][: len(part)], part)]
    assert len(at) == 1


def test_one_browser_plays_at_a_time_and_a_wrong_rate_is_told(studio):
    async def play():
        async with aiohttp.ClientSession() as session:
            async def refused(query):
                with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                    await session.ws_connect(f"{studio.url}audio?{query}")
                return error.value.status

            assert await refused("rate=48000") == 409
            async with session.ws_connect(f"{studio.url}audio?rate=44100&channels=1") as socket:
                await socket.receive()
                assert await refused("rate=44100") == 409
                for wrong in (b"", b"1234567", HEAD.pack(1, 512), HEAD.pack(1, 0), HEAD.pack(1, 2**31) + b"xxxx"):
                    await socket.send_bytes(wrong)
                    assert "fail" in json.loads((await socket.receive(60)).data)
            while True:    # its place is free again
                try:
                    async with session.ws_connect(f"{studio.url}audio?rate=44100&channels=1") as socket:
                        return json.loads((await socket.receive(60)).data)
                except aiohttp.WSServerHandshakeError:
                    await asyncio.sleep(0.1)

    assert asyncio.run(play())["rate"] == 44100
