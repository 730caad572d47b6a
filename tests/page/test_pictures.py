"""What pages see: spectra, change, maps; counted, in time, dropped for who is slow, and nothing where nobody looks."""

import asyncio
import struct
from itertools import pairwise

import numpy as np
import pytest

from audiobend.live.rings import Shared
from audiobend.page.bands import Analyser, band_weights, level_db
from audiobend.page.frames import COLUMN_BYTES
from audiobend.page.spectra import Spectra
from audiobend.page.viewers import Sight, Viewer
from tests.page.conftest import page

HEAD, LEVELS = 16, 16
EVERYTHING = {"see": {"spectra": True, "bands": 128, "maps": ["1/0", "3/1", "9/9", 7]}}


def columns_of(picture: bytes):
    """Return number, seconds, levels, In, Out, change and hues of a frame of columns."""
    kind, version, count, number, seconds = struct.unpack_from("<BBHId", picture)
    assert (kind, version) == (1, 1) and len(picture) == HEAD + LEVELS + count * COLUMN_BYTES
    rows = np.frombuffer(picture, np.uint8, offset=HEAD + LEVELS).reshape(count, COLUMN_BYTES)
    return number, seconds, struct.unpack_from("<4f", picture, HEAD), rows[:, :384].reshape(count, 3, 128), rows[:, 384]


@pytest.mark.slow
def test_spectra_are_counted_and_show_what_bends_change(stage):
    async def look():
        async with page(stage) as (one, _):
            await one.do(["/audiobend/bend/fog/on", 1], ["/audiobend/bend/fog/factor", 8])
            await one.say(EVERYTHING)
            seen = [columns_of(await one.picture(lambda data: data[0] == 1)) for _ in range(60)]
            tiles = await one.picture(lambda data: data[0] == 2)
            await one.do(["/audiobend/panic"])
            await one.until(lambda told: told.get("status", {}).get("bypass") is True)
            for _ in range(100):    # what was heard before is still on its way
                dry = columns_of(await one.picture(lambda data: data[0] == 1))
                if not dry[3][-1, 2].any():
                    break
            await one.do(["/audiobend/bypass", 0])
            return seen, tiles, dry

    seen, tiles, dry = asyncio.run(look())
    for (number, _, _, columns, _), (following, *_) in pairwise(seen):
        assert following >= number + len(columns)    # none comes twice; a busy machine may leave some out
    columns, hues = (np.concatenate([one[place] for one in seen]) for place in (3, 4))
    assert columns[:, 0].max() > 128 and columns[:, 1].max() > 100    # music, both ways
    assert columns[-50:, 2].max() > 0 and set(hues[-50:]) <= {0, 3}
    assert not dry[3][-1, 2].any()    # panic: nothing is bent any more
    assert all(-60 < one[2][0] <= 6 for one in seen[-5:])
    _, _, count, *_ = struct.unpack_from("<BBHId", tiles)
    assert count == 2 and len(tiles) == HEAD + 2 * (4 + 32 * 24)
    assert [tuple(tiles[at : at + 4]) for at in (HEAD, HEAD + 4 + 32 * 24)] == [(1, 0, 32, 24), (3, 1, 32, 24)]


@pytest.mark.slow
def test_a_page_that_looks_away_gets_no_pictures(stage):
    async def look():
        async with page(stage) as (one, _):
            await one.say(EVERYTHING)
            await one.picture(lambda data: data[0] == 1)
            await one.say({"see": None})
            await one.do(["/audiobend/ping", 1])
            one.pictures.clear()
            for _ in range(4):
                await one.until(lambda told: "status" in told)
            return one.pictures

    assert asyncio.run(look()) == []


class SlowSocket:
    """A page that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.free, self.sent = asyncio.Event(), []

    async def send_bytes(self, data: bytes) -> None:
        await self.free.wait()
        self.sent.append(data)

    send_str = send_bytes


def test_a_slow_page_drops_pictures_and_loses_no_word():
    async def play():
        socket = SlowSocket()
        viewer = Viewer(1, socket)
        writer = asyncio.ensure_future(viewer.write())
        for number in range(100):
            viewer.show([b"picture %d" % number])
            viewer.tell(f"word {number}")
            await asyncio.sleep(0)
        socket.free.set()
        while len(socket.sent) < 101:
            await asyncio.sleep(0)
        writer.cancel()
        return socket.sent, viewer.dropped

    sent, dropped = asyncio.run(play())
    assert [one for one in sent if isinstance(one, str)] == [f"word {number}" for number in range(100)]
    assert len([one for one in sent if isinstance(one, bytes)]) + dropped == 100 and dropped >= 98


@pytest.mark.parametrize("given", [None, 3, [], "x", {"maps": 5}, {"maps": [{}, ["1/0"], "x" * 99]}, {"spectra": 0}])
def test_a_wish_that_is_none_is_nothing(given):
    assert Sight.of(given) == Sight()


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("hertz", [200, 1000, 8000])
def test_a_sine_of_full_scale_is_255_in_its_band_at_any_rate(rate, hertz):
    analyser = Analyser(rate)
    wave = np.sin(2 * np.pi * hertz * np.arange(analyser.n_fft) / rate).astype(np.float32)
    (column,) = analyser.columns(np.stack([wave, 0 * wave])[None])
    centres = np.geomspace(40, 16000, 128)
    assert abs(np.log2(centres[column.argmax()] / hertz)) < 0.35    # low bands are narrower than a bin
    assert column.max() >= 250
    assert analyser.columns(np.zeros((1, 2, analyser.n_fft), np.float32)).max() == 0


def test_every_band_is_a_mean_of_bins():
    weights = band_weights(513, 44100 / 1024)
    assert weights.shape == (128, 513) and (weights >= 0).all()
    assert weights.sum(axis=1) == pytest.approx(1.0)


def test_the_level_of_a_full_sine_is_no_decibel():
    wave = np.sin(2 * np.pi * np.arange(4410) / 441)[:, None]
    assert level_db(wave) == pytest.approx((0.0, 0.0), abs=0.01)
    assert level_db(wave[:0]) == (-120.0, -120.0)


def test_nothing_is_shown_before_the_sound_runs():
    shared = Shared()
    try:
        assert Spectra(shared).frame() is None
    finally:
        shared.close()
