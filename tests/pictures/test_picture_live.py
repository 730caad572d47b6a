"""Played pictures: what is seen when, the page that shows them, and the process that paints, bent by real OSC."""

import asyncio
import io
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from audiobend.bending import Patch
from audiobend.control import Fade
from audiobend.errors import AudiobendError
from audiobend.picture import Painter
from audiobend.picture_files import paint_one
from audiobend.picture_live.easel import Easel, Loudness
from audiobend.picture_live.messages import Setup, Shown, Where
from audiobend.picture_live.page import PicturePage
from audiobend.picture_live.process import PictureProcess
from audiobend.picture_recipe import Job
from audiobend.picture_settings import PictureSettings

FOG = Patch(seed=3).add(3, "scalar-multiply", {"factor": 2.0}, id="fog")
PATIENCE = 240.0


def until(condition, patience=PATIENCE):
    """Wait for a state; the machine may be slow."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if (found := condition()) is not None and found is not False:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


@pytest.fixture
def easel(small_model):
    return Easel(small_model, PictureSettings(), seeds=(4,))


def picture(model, patch, seed=4):
    return paint_one(Painter(model, patch), Job(seed))


def test_what_is_wanted_is_seen_and_bypass_is_unbent(small_model, easel):
    easel.want(Shown("m", FOG), 0.0)
    assert np.array_equal(easel.paint(0.1), picture(small_model, FOG))
    easel.want(Shown("m", FOG, bypass=True), 0.2)
    assert np.array_equal(easel.paint(0.3), picture(small_model, Patch()))
    assert not easel.is_moving(0.4)


def test_a_scene_fades_in_from_what_is_seen(small_model, easel):
    easel.want(Shown("m", FOG.set("fog/mix", 0.0)), 0.0)
    easel.paint(0.0)
    easel.want(Shown("m", FOG, fade=Fade(1, 4.0)), 10.0)
    assert easel.is_moving(10.0)
    assert np.array_equal(easel.paint(10.0), picture(small_model, Patch()))
    assert np.array_equal(easel.paint(11.0), picture(small_model, FOG.set("fog/mix", 0.25)))
    assert np.array_equal(easel.paint(14.0), picture(small_model, FOG)) and not easel.is_moving(14.0)


def test_a_patch_that_cannot_be_painted_is_told_and_the_picture_stays(small_model):
    told = []
    easel = Easel(small_model, PictureSettings(), (4,), tell=told.append)
    easel.want(Shown("m", FOG), 0.0)
    easel.paint(0.0)
    easel.want(Shown("m", Patch().add(99, "ablate")), 0.1)
    assert np.array_equal(easel.paint(0.2), picture(small_model, FOG))
    assert "layer 99" in told[0]


def test_a_walk_goes_round_at_its_pace(small_model):
    easel = Easel(small_model, PictureSettings(), (4, 5), pace=2.0)
    assert easel.is_moving(0.0)
    for seconds, seed in ((0.0, 4), (2.0, 5), (4.0, 4), (6.0, 5)):
        assert np.array_equal(easel.paint(seconds), picture(small_model, Patch(), seed))


def test_bends_that_follow_hear_the_sound_beside_the_pictures(small_model, easel):
    easel.want(Shown("m", FOG.set("fog/mix", 0.0).set("fog/mix/lfo", "follow 20 1.0")), 0.0)
    assert easel.follows and np.array_equal(easel.paint(0.1), picture(small_model, Patch()))
    for tick in range(50):
        easel.loudness.feed(tick / 25, -15.0)
    heard = float(easel.loudness(torch.zeros(1), 20.0))
    assert heard == pytest.approx(0.75, abs=0.02)
    assert np.array_equal(easel.paint(2.0), picture(small_model, FOG.set("fog/mix", heard)))


def test_loudness_forgets_an_engine_that_died():
    loudness = Loudness()
    loudness.feed(100.0, 0.0)
    loudness.feed(1.0, -200.0)
    assert float(loudness(torch.zeros(1), 5.0)) == 0.0


def fetch(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.read(), answer.headers


def stream(url):
    """Yield the pictures of a stream."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        while True:
            line = answer.readline()
            if line.startswith(b"Content-Length:"):
                length = int(line.split(b":")[1])
                answer.readline()
                yield np.asarray(Image.open(io.BytesIO(answer.read(length))).convert("RGB")).astype(int)


@pytest.fixture
def page():
    with PicturePage(Where(port=0)) as page:
        yield page


def grey(level):
    return np.full((16, 16, 3), level, np.uint8)


def test_the_stream_brings_each_new_picture_and_the_newest_to_who_comes_late(page):
    page.show(grey(10))
    page.show(grey(50))
    seen = stream(f"{page.url}stream.mjpg")
    assert abs(next(seen).mean() - 50) < 3
    page.show(grey(200))
    assert any(abs(next(seen).mean() - 200) < 3 for _ in range(3))
    seen.close()


def test_the_page_shows_the_stream_and_runs_nothing(page):
    body, headers = fetch(page.url)
    assert b'src="/stream.mjpg"' in body and b"<script" not in body
    assert headers["Content-Security-Policy"] == "default-src 'self'"
    assert json.loads(fetch(f"{page.url}status.json")[0]) == {"pictures": 0, "viewers": 0}


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_other_sites_see_nothing(page, headers):
    page.show(grey(1))
    for path in ("", "stream.mjpg", "picture.jpg", "status.json"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(page.url + path, **headers)
        with refused.value as answer:
            assert answer.code == 403


def test_a_slow_viewer_holds_nobody_up_and_leaves_pictures_out(page):
    """A viewer that reads nothing: the page goes on, and others see the newest."""
    rng = np.random.default_rng(0)

    async def slow():
        _, writer = await asyncio.open_connection("127.0.0.1", page.port, limit=1024)
        writer.write(f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n".encode())
        await writer.drain()
        for _ in range(60):    # megabytes, far more than any buffer between holds
            page.show(rng.integers(0, 255, (512, 512, 3), dtype=np.uint8))
            await asyncio.sleep(0)
        page.show(grey(123))
        seen = await asyncio.to_thread(lambda: next(stream(f"{page.url}stream.mjpg")))
        writer.close()
        return seen

    assert abs(asyncio.run(slow()).mean() - 123) < 3


@pytest.fixture
def told():
    return []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_process_shows_what_is_wanted_and_comes_back_when_killed(model_file, small_model, told):
    setup = Setup(where=Where(port=0), seeds=(4,), side=16)
    with PictureProcess(setup, Shown(str(model_file)), told.append) as pictures:
        url = f"{pictures.ready.url}picture.jpg"

        def seen(patch):
            expected = picture(small_model, patch).astype(int)
            try:
                now = np.asarray(Image.open(io.BytesIO(fetch(url)[0])).convert("RGB")).astype(int)
            except OSError:
                return False
            return bool(np.abs(now - expected).mean() < 12)

        until(lambda: seen(Patch()))
        strong = FOG.set("fog/factor", -3.0)
        pictures.change(Shown(str(model_file), strong))
        until(lambda: seen(strong))
        pictures._child._process.kill()
        until(lambda: any("are back" in sentence for sentence in told))
        until(lambda: seen(strong))    # at the same address


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_told_at_the_start(tmp_path, told):
    (tmp_path / "junk.pkl").write_bytes(b"junk" * 100)
    with pytest.raises(AudiobendError, match="no file of a network"):
        PictureProcess(Setup(where=Where(port=0)), Shown(str(tmp_path / "junk.pkl")), told.append).start()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_image_live_is_bent_by_the_addresses_of_sound(model_file, tmp_path):
    words = ["image", "live", "--model", model_file, "--osc-port", "0", "--page-port", "0", "--seeds", "4", "--json",
             "--session", tmp_path / "session", "--side", "16"]    # fmt: skip
    program = "import sys; from audiobend.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        start = json.loads(process.stdout.readline())
        assert start["event"] == "start" and start["stream"].endswith("/stream.mjpg")
        there = ("127.0.0.1", start["osc"]["port"])
        with SimpleUDPClient(*there) as client, closing(stream(start["stream"])) as seen:
            before = next(seen)
            client.send_message("/audiobend/layer/3/all/scalar-multiply/factor", -3.0)
            client.send_message("/audiobend/layer/3/all/scalar-multiply", 1)
            until(lambda: np.abs(next(seen) - before).mean() > 8)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
                listener.settimeout(PATIENCE)
                listener.sendto(OscMessageBuilder("/audiobend/image/url").build().dgram, there)
                assert OscMessage(listener.recv(65536)).params == [start["url"]]
            client.send_message("/audiobend/bypass", 1)
            until(lambda: np.abs(next(seen) - before).mean() < 4)
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_one_gesture_turns_sound_and_picture_and_the_sound_outlives_the_picture(tiny_bundle, model_file, tmp_path):
    import soundfile as sf

    sf.write(tmp_path / "in.wav", np.random.default_rng(0).normal(0, 0.1, 44100 * 4).astype(np.float32), 44100)
    words = ["live", "--no-audio", "--from", tmp_path / "in.wav", "--loop", "--model", tiny_bundle, "--json",
             "--image", model_file, "--image-port", "0", "--image-seeds", "4", "--osc-port", "0",
             "--backend", "torch", "--session", tmp_path / "session"]    # fmt: skip
    program = "import sys; from audiobend.cli import main; main()"
    with (tmp_path / "out.txt").open("w") as out:
        process = subprocess.Popen([sys.executable, "-c", program, *map(str, words)], stdout=out, cwd=tmp_path)

    def events():
        return [json.loads(line) for line in (tmp_path / "out.txt").read_text().splitlines(keepends=True)
                if line.endswith("\n")]    # fmt: skip

    def told(text):
        return next((one["text"] for one in events() if one["event"] == "told" and text in one["text"]), None)

    try:
        url = until(lambda: told("pictures are at")).split()[-1]
        pictures = f"{url}stream.mjpg"
        start = until(lambda: next((one for one in events() if one["event"] == "start"), None))
        with SimpleUDPClient("127.0.0.1", start["osc"]["port"]) as client, closing(stream(pictures)) as seen:
            before = next(seen)
            client.send_message("/audiobend/layer/4/all/scalar-multiply/factor", -3.0)    # its layer 3 of 1..4
            client.send_message("/audiobend/layer/4/all/scalar-multiply", 1)
            until(lambda: np.abs(next(seen) - before).mean() > 8)
            until(lambda: any(one["event"] == "status" and one["is_bent"] for one in events()))
        port = int(url.rstrip("/").split(":")[-1])
        (painter,) = (
            one
            for one in psutil.Process(process.pid).children()
            if port in {at.laddr.port for at in one.net_connections()}
        )
        count = len(events())
        painter.kill()
        until(lambda: told("are back"))
        statuses = [one for one in events()[count:] if one["event"] == "status"]
        assert statuses and all(one["engine"] == "running" for one in statuses)
        with closing(stream(pictures)) as seen:
            assert next(seen).ndim == 3
    finally:
        process.terminate()
        process.wait(60)
    assert process.returncode == 0
