"""Whole chains: a hand in headless Chromium, the page, the engine, and the sound that is recorded."""

import numpy as np
import psutil
import pytest
import soundfile as sf

from audiobend.osc.client import OscClient
from tests.page.conftest import SOUND, Stage
from tests.parts import chromium

pytestmark = pytest.mark.slow
PATIENCE = 120_000
CLEAR = "audiobend: 1\ntransforms: []\noutput: {detail: 1, limiter: false, match_level: false}\n"


@pytest.fixture
def opened():
    """A function that opens the page of a performance in a browser with these flags."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browsers = []

        def open_page(stage, *flags):
            browsers.append(playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", *flags]))
            page = browsers[-1].new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(PATIENCE)
            page.goto(stage.url)
            page.wait_for_selector("html[data-link=up]")
            page.wait_for_selector("[data-cell]", state="attached")
            return page

        yield open_page
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="module")
def stage(tiny_bundle, tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("e2e"), tiny_bundle, "--no-audio", "--from", SOUND, "--loop")
    yield stage
    stage.close()


def state_until(page, condition: str) -> dict:
    """Wait until the engine's own state, ``s`` with its bends by id ``b``, is as wanted."""
    script = f"""async () => {{ const s = await (await fetch('/api/state')).json();
        const b = Object.fromEntries(s.bends.map((one) => [one.id, one])); return ({condition}) ? s : null; }}"""
    for _ in range(600):
        if state := page.evaluate(script):
            return state
        page.wait_for_timeout(100)
    raise AssertionError(f"never: {condition}")


def test_touching_a_cell_changes_the_sound_that_is_recorded(opened, tiny_bundle, tmp_path):
    (tmp_path / "clear.yaml").write_text(CLEAR)
    words = ("--no-audio", "--from", SOUND, "--loop", "--record", "out.wav", "--patch", "clear.yaml")
    stage = Stage(tmp_path, tiny_bundle, *words)
    try:
        page = opened(stage)
        page.locator("[data-transform=invert]").click()
        touched = stage.event("status")["seconds"]
        page.locator('[data-cell="3/0"]').click()
        state_until(page, "b['layer3.cluster0.invert']?.on")
        page.wait_for_selector('[data-cell="3/0"][aria-pressed=true]')
        heard = stage.event("status")["seconds"]
        while stage.event("status")["seconds"] < heard + 2:
            pass
    finally:
        stage.close()
    recorded, rate = sf.read(tmp_path / "out.wav", always_2d=True)
    track, _ = sf.read(SOUND, always_2d=True)
    given = np.tile(track, (-(-len(recorded) // len(track)), 1))[: len(recorded)]
    other = np.abs(recorded - given).max(axis=1)
    before, after = other[rate // 2 : round((touched - 0.7) * rate)], other[round((heard + 0.5) * rate) :]
    assert after.max() > 0.01
    if before.size:
        assert before.max() < 1e-3 < after.max()


def test_osc_moves_the_control_on_the_page(opened, stage):
    page = opened(stage)
    page.locator('[data-card="fog"] [data-act=expand]').click()
    with OscClient("127.0.0.1", stage.osc_port) as osc:
        for value in (0.25, 0.75):
            osc.send("/audiobend/bend/fog/mix", (value,))
            page.wait_for_selector(f'[role=slider][data-address="/audiobend/bend/fog/mix"][aria-valuenow="{value}"]')


def test_a_reload_in_mid_performance_loses_nothing(opened, stage):
    page = opened(stage)
    page.locator("[data-transform=erode]").click()
    page.locator('[data-cell="2/1"]').focus()
    page.keyboard.press("Space")
    before = state_until(page, "b['layer2.cluster1.erode']?.on")
    page.reload()
    page.wait_for_selector('[data-cell="2/1"][aria-pressed=true]', state="attached")
    after = state_until(page, "true")
    assert after["bends"] == before["bends"] and after["addresses"] == before["addresses"]


def test_a_page_comes_back_by_itself_when_its_server_has_died(opened, stage):
    page = opened(stage)
    before = state_until(page, "true")
    live = psutil.Process(stage.process.pid)
    served = [one for one in live.children(recursive=True) if any(c.laddr.port for c in one.net_connections("tcp"))]
    served[0].kill()
    page.wait_for_selector("html:not([data-link=up])")
    page.wait_for_selector("html[data-link=up]")
    assert state_until(page, "true")["bends"] == before["bends"]


def test_a_file_that_is_dropped_becomes_the_input(opened, stage, tmp_path):
    sf.write(tmp_path / "beep.wav", 0.5 * np.sin(np.arange(22050) / 8), 22050)
    page = opened(stage)
    page.set_input_files("#file", tmp_path / "beep.wav")
    for _ in range(600):
        name = page.evaluate("async () => (await (await fetch('/api/about')).json()).input.name")
        if name == "beep.wav":
            return
        page.wait_for_timeout(100)
    raise AssertionError(name)


def test_the_browsers_microphone_plays_ten_seconds_without_an_underrun(opened, tiny_bundle, tmp_path):
    sf.write(tmp_path / "microphone.wav", 0.3 * np.sin(np.arange(20 * 44100) / 20), 44100, subtype="PCM_16")
    stage = Stage(tmp_path, tiny_bundle, "--browser")
    try:
        flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        flags += ["--autoplay-policy=no-user-gesture-required"]
        flags += [f"--use-file-for-fake-audio-capture={tmp_path / 'microphone.wav'}"]
        page = opened(stage, *flags)
        page.keyboard.press(",")
        page.locator("[data-act=mic]").click()
        page.wait_for_selector("[data-mic]", state="attached")
        for _ in range(1200):
            frames = int(page.locator("[data-mic]").get_attribute("data-frames") or 0)
            if frames >= 10 * 44100:
                break
            page.wait_for_timeout(100)
        assert frames >= 10 * 44100
        assert page.locator("[data-mic]").get_attribute("data-underruns") == "0"
        while stage.event("status")["in_db"] < -30:    # those of before it played come first
            pass
    finally:
        stage.close()


