"""The browser as the sound card: its microphone and its loudspeaker, through the engine."""

import numpy as np
import pytest
import soundfile as sf

from tests.e2e.hand import Hand, state_until
from tests.page.conftest import Stage

pytestmark = pytest.mark.slow
RATE, SECONDS = 44100, 10
HEAD = 8
"""Bytes before the samples of a block."""


class Wire:
    """What goes over the page's WebSocket of sound, both ways."""

    def __init__(self, page) -> None:
        self._sent: list[bytes] = []
        self._came: list[bytes] = []
        page.on("websocket", self._follow)

    def _follow(self, socket) -> None:
        if "/audio" in socket.url:
            socket.on("framesent", lambda data: self._sent.append(data))
            socket.on("framereceived", lambda data: self._came.append(data) if isinstance(data, bytes) else None)

    def sound(self) -> tuple[np.ndarray, np.ndarray]:
        """What the microphone gave, and what was played."""
        given, played = (
            np.frombuffer(b"".join(block[HEAD:] for block in blocks), "<f4") for blocks in (self._sent, self._came)
        )
        return given, played


@pytest.fixture
def studio(tiny_bundle, tmp_path):
    """A performance whose card is the browser, and a sound that its microphone hears."""
    sound = 0.3 * np.sin(np.arange(2 * SECONDS * RATE) / 20)
    sf.write(tmp_path / "microphone.wav", sound, RATE, subtype="PCM_16")
    stage = Stage(tmp_path, tiny_bundle, "--browser")
    yield stage, tmp_path / "microphone.wav"
    stage.close()


def test_ten_seconds_of_the_microphone_without_an_underrun_and_bypassed_bit_for_bit(studio):
    from playwright.sync_api import sync_playwright

    stage, microphone = studio
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    flags += ["--autoplay-policy=no-user-gesture-required", f"--use-file-for-fake-audio-capture={microphone}"]
    with sync_playwright() as playwright:
        hand = Hand(playwright, *flags)
        page = hand.open(stage.url)
        wire = Wire(page)
        page.locator("[data-listen=dry]").click()
        state_until(page, "s.addresses['/audiobend/bypass'][0] === 1")
        page.wait_for_function("() => audiobend.store.status.is_bent")
        page.keyboard.press(",")
        page.locator("[data-act=mic]").click()
        page.wait_for_function(f"() => audiobend.mic.frames >= {SECONDS * RATE}")
        seen = page.evaluate("({underruns: audiobend.mic.underruns, late: audiobend.mic.latency})")
        given, played = wire.sound()
        assert page.locator("[data-mic]").get_attribute("data-underruns") == "0"
        hand.leave()
    assert seen["underruns"] == 0
    n = len(played) - seen["late"]
    assert n > (SECONDS - 1) * RATE and np.abs(given[:n]).max() > 0.2
    np.testing.assert_array_equal(played[seen["late"] :], given[:n])
