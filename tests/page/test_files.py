"""Files in and out of the page: sounds that are dropped, patches, takes and what is rendered of them."""

import asyncio
import io

import numpy as np
import pytest
import soundfile as sf

from audiobend.io.patchfile import parse_patch
from audiobend.page.lanes import lanes_of
from tests.page.conftest import page, web


def tone(hertz: float, seconds: float = 1.0, rate: int = 22050) -> bytes:
    """A sound file of another rate than the card's."""
    file = io.BytesIO()
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    sf.write(file, wave, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


async def done(caller, session, number: int) -> dict:
    """Wait until a page is told that a job is over; return how it stands then."""
    over = ("done", "failed")
    await caller.until(lambda told: told.get("job", {}).get("job") == number and told["job"]["state"] in over)
    return await (await session.get(f"/api/jobs/{number}")).json()


@pytest.mark.slow
def test_a_sound_is_rendered_with_the_bends_of_now_and_comes_back_whole(stage):
    async def play():
        async with page(stage) as (one, _), web(stage) as session:
            answer = await session.post("/api/drop?what=render&name=my tone.wav&quality=fast", data=tone(440))
            number = (await answer.json())["job"]
            facts = await done(one, session, number)
            assert facts["state"] == "done" and facts["fraction"] == 1, facts
            answer = await session.get(facts["result"])
            return answer.headers["Content-Disposition"], await answer.read()

    name, data = asyncio.run(play())
    assert "my%20tone.bent.wav" in name
    samples, rate = sf.read(io.BytesIO(data))
    assert (len(samples), rate) == (22050, 22050) and np.abs(samples).max() > 0


@pytest.mark.slow
def test_a_sound_that_is_dropped_becomes_the_input_and_all_pages_hear_of_it(stage):
    loudest = []

    async def play():
        async with page(stage) as (one, _), page(stage) as (two, _), web(stage) as session:
            answer = await session.post("/api/drop?what=input&name=beep.wav", data=tone(1000))
            assert (await answer.json())["input"] == {"kind": "file", "name": "beep.wav"}
            assert (await two.until(lambda told: "input" in told))["input"]["name"] == "beep.wav"
            await one.say({"see": {"spectra": True, "maps": []}})
            while len(loudest) < 40 or len(set(loudest[-20:])) > 1:    # until it is that tone alone
                picture = await one.picture(lambda data: data[0] == 1)
                loudest.append(np.frombuffer(picture, np.uint8, 128, 32).argmax())
                assert len(loudest) < 2000, loudest
            assert (await (await session.get("/api/about")).json())["input"]["name"] == "beep.wav"
            await session.post("/api/input?kind=card")
            assert (await two.until(lambda told: "input" in told))["input"]["kind"] == "browser"

    asyncio.run(play())
    assert np.geomspace(40, 16000, 128)[loudest[-1]] == pytest.approx(1000, rel=0.06)


@pytest.mark.slow
def test_the_patch_that_sounds_is_a_file(stage):
    async def play():
        async with page(stage) as (one, _), web(stage) as session:
            await one.do(["/audiobend/bend/fog/factor", 3.25])
            answer = await session.get("/api/patch")
            return answer.headers["Content-Disposition"], await answer.text()

    name, text = asyncio.run(play())
    assert name == 'attachment; filename="low tide.yaml"'
    assert parse_patch(text).bend("fog").params["factor"] == 3.25


@pytest.mark.slow
def test_a_take_is_recorded_drawn_downloaded_and_rendered(stage):
    async def play():
        async with page(stage) as (one, _), web(stage) as session:
            await session.post("/api/drop?what=input&name=beep.wav", data=tone(500))
            started = await one.do(["/audiobend/take/start"])
            name = started["answers"][0][1]
            await one.do(["/audiobend/bend/fog/factor", 1.5])
            await one.do(["/audiobend/take/stop"])
            await one.until(lambda told: name in told.get("state", {}).get("takes", ()) and not told["state"]["take"])
            while True:    # the disk has its own time
                lanes = await (await session.get(f"/api/takes/{name}/timeline")).json()
                if any([*point][1:] == [1.5] for lane in lanes["lanes"] for point in lane["points"]):
                    break
                await asyncio.sleep(0.2)
            text = await (await session.get(f"/api/takes/{name}")).text()
            answer = await session.post(f"/api/takes/{name}/render?quality=fast")
            facts = await done(one, session, (await answer.json())["job"])
            missing = await session.get("/api/takes/nothing")
            wrong = await session.post(f"/api/takes/{name}/render?quality=perfect")
            return lanes, text, facts, (missing.status, wrong.status, await wrong.text())

    lanes, text, facts, refused = asyncio.run(play())
    assert "/audiobend/bend/fog/factor" in {lane["address"] for lane in lanes["lanes"]}
    assert text.startswith('{"audiobend_take"') and facts["state"] == "done", facts
    assert refused == (409, 409, "quality must be one of fast, default, best, live, got 'perfect'")


def test_a_timeline_leaves_out_what_it_cannot_read():
    lines = ['{"audiobend_take": 1, "sample_rate": 1000}', '{"sample": -5, "address": "/a", "args": [1]}', "{cut off",
             '{"event": "began", "sample": 0}', '{"sample": 2500, "address": "/a", "args": [2, "x"]}']
    lanes = [{"address": "/a", "points": [[0.0, 1], [2.5, 2, "x"]]}]
    assert lanes_of(lines) == {"seconds": 2.5, "moves": 1, "is_whole": False, "lanes": lanes}


def test_a_timeline_begins_where_the_recording_started_with_how_things_stood_then():
    lines = ['{"audiobend_take": 1, "sample_rate": 1000}', '{"sample": 100, "address": "/a", "args": [1]}',
             '{"sample": 200, "address": "/a", "args": [2]}', '{"event": "started", "sample": 500}',
             '{"sample": 1500, "address": "/a", "args": [3]}', '{"event": "stopped", "sample": 2500}']
    lanes = [{"address": "/a", "points": [[0.0, 2], [1.0, 3]]}]
    assert lanes_of(lines) == {"seconds": 2.0, "moves": 1, "is_whole": True, "lanes": lanes}
