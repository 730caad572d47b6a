"""A hand plays the page in Chromium while the engine plays through a sound server: what is touched is what is heard."""

import numpy as np
import psutil
import pytest
import soundfile as sf

from audiobend.osc.client import OscClient
from tests.e2e.hand import Hand, drag, drop, middle, state_until, there
from tests.page.conftest import Stage
from tests.realtime.conftest import sound_system
from tests.realtime.rig import PERIOD, Server, SoftCard, lag_of, noise, wait_for

__all__ = ["sound_system"]
pytestmark = pytest.mark.slow
RATE = 44100
PATCH = """audiobend: 1
name: tide
transforms:
  - {{id: fog, layer: 3, transform: invert, mix: {mix}, on: {on}}}
  - {{id: lean, layer: 1, transform: erode, params: {{radius: 2}}, on: false}}
output: {{detail: 1, limiter: false, match_level: false}}
"""
SAME, OTHER = 1e-3, 1e-2
"""Differences of samples: the sound passes as it came; it is bent. Noise at 0.1 goes in."""


class Ears:
    """Hears the speaker, and knows what the microphone is given."""

    def __init__(self, card: SoftCard, sound: np.ndarray) -> None:
        self._card, self._sound = card, sound

    def so_far(self) -> np.ndarray:
        """All that the speaker got."""
        return self._card.so_far()

    def difference(self) -> float:
        """By how much the last half second is other than what went in, however late it is: a busy card loses blocks."""
        recorded = self._card.so_far()
        at = np.arange(len(recorded) - RATE // 2, len(recorded))
        lag = lag_of(recorded, np.tile(self._sound, (2, 1)), int(at[0]))
        return float(np.abs(recorded[at] - self._sound[(at - lag) % len(self._sound)]).max())

    def until(self, is_wanted) -> None:
        """Listen until what is heard is as wanted."""
        for _ in range(240):
            self._wait(self._card.position + RATE // 2)
            if is_wanted(self.difference()):
                return
        raise AssertionError(f"never heard: {self.difference()}")

    def _wait(self, position: int) -> None:
        assert wait_for(lambda: self._card.position >= position)

    def until_heard(self) -> None:
        """Listen until there is any sound."""
        assert wait_for(lambda: loudness(self._card) > OTHER, 60)

    def until_silent(self) -> None:
        """Listen until there is none."""
        assert wait_for(lambda: loudness(self._card) == 0, 60)

    def until_same(self) -> None:
        self.until(lambda difference: difference < SAME)

    def until_other(self) -> None:
        self.until(lambda difference: difference > OTHER)


def loudness(card: SoftCard) -> float:
    """Peak of the last quarter second at a speaker."""
    return float(np.abs(card.so_far()[-RATE // 4 :]).max())


@pytest.fixture(scope="module")
def rig(sound_system, tiny_bundle, tmp_path_factory):
    """A performance through a sound server, with a session of four scenes, and ears at its speaker."""
    folder = tmp_path_factory.mktemp("played")
    (folder / "session" / "scenes").mkdir(parents=True)
    for name, mix in (("a", 0), ("b", 1), ("c", 0), ("d", 1)):
        (folder / "session" / "scenes" / f"{name}.yaml").write_text(PATCH.format(mix=mix, on="true"))
    (folder / "off.yaml").write_text(PATCH.format(mix=1, on="false"))
    sound = noise(400 * PERIOD / RATE)
    server = Server(RATE).start()
    card = SoftCard(folder, sound, "--loop", seconds=900)
    words = ("--input-device", "softcard", "--output-device", "softcard", "--patch", "off.yaml")
    stage = Stage(folder, tiny_bundle, *words)
    stage.ears, stage.folder = Ears(card, sound), folder
    while not stage.event("status")["is_bent"]:
        pass
    stage.ears.until_same()
    yield stage
    stage.close()
    card.close()
    server.close()


@pytest.fixture(scope="module")
def hand():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield Hand(playwright)


@pytest.fixture
def page(hand, rig):
    """The page, with every bend off and nothing on top of it."""
    page = hand.open(rig.url, reduced_motion="reduce")    # the pictures are other tests'
    page.keyboard.press(".")
    state_until(page, "s.bends.every((one) => !one.on) && s.addresses['/audiobend/bypass'][0] === 1")
    page.locator("[data-listen=bent]").click()
    state_until(page, "s.addresses['/audiobend/bypass'][0] === 0")
    yield page
    hand.leave()


def name_of_input(page) -> str:
    return page.evaluate("async () => (await (await fetch('/api/about')).json()).input.name")


# --- what is heard ---


def test_a_cell_that_is_touched_is_heard_and_touched_again_is_not(page, rig):
    rig.ears.until_same()
    page.locator("[data-transform=invert]").click()
    page.locator('[data-cell="3/0"]').click()
    page.wait_for_selector('[data-cell="3/0"].on[aria-pressed=true]')
    rig.ears.until_other()
    page.locator('[data-cell="3/0"]').click()
    page.wait_for_selector('[data-cell="3/0"][aria-pressed=false]')
    rig.ears.until_same()


def test_a_morph_between_four_scenes_is_dragged_and_heard(page, rig):
    (left, top), box = middle(page, "#pad"), page.locator("#pad").bounding_box()
    drag(page, (box["x"] + 20, top), (left, top))
    at = "s.addresses['/audiobend/scene/pad']"
    state_until(page, f"{at} && {at}.slice(0, 4).join('') === 'abcd' && Math.abs(b.fog.mix - 0.5) < 0.02")
    rig.ears.until_other()
    drag(page, (left, top), (box["x"] + 2, box["y"] + 2))
    state_until(page, f"{at}[4] === 0 && {at}[5] === 0 && b.fog.mix === 0")
    rig.ears.until_same()
    page.keyboard.press("x")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    state_until(page, "Math.abs(b.fog.mix - 0.1) < 1e-6")
    page.wait_for_selector("[data-pad=x][aria-valuenow='10']", state="attached")


def test_the_difference_is_heard_alone(page, rig):
    rig.ears.until_same()
    page.locator("[data-listen=difference]").click()
    page.wait_for_selector("html[data-listening=difference]")
    rig.ears.until_other()    # nothing is bent, so that it is silence
    page.locator("[data-listen=bent]").click()
    rig.ears.until_same()


# --- controls ---


def test_osc_moves_the_control_on_the_page(page, rig):
    page.locator('[data-card="fog"] [data-act=expand]').click()
    with OscClient("127.0.0.1", rig.osc_port) as osc:
        for value in (0.25, 0.75):
            osc.send("/audiobend/bend/fog/mix", (value,))
            page.wait_for_selector(f'[role=slider][data-address="/audiobend/bend/fog/mix"][aria-valuenow="{value}"]')
        osc.send("/audiobend/bend/fog/on", (1,))
        page.wait_for_selector('[data-card="fog"] [data-act=switch][aria-checked=true]')


def test_a_scene_is_saved_renamed_and_loaded(page):
    page.locator("[data-transform=dilate]").click()
    page.locator('[data-cell="2/1"]').click()
    page.locator("[data-scene-save]").click()
    page.locator("#sheet input").fill("ebb")
    page.keyboard.press("Enter")
    state_until(page, "s.scenes.some((one) => one.name === 'ebb')")
    page.locator('[data-scene="ebb"]').click(button="right")
    page.locator("[data-act=scene-rename]").click()
    page.locator("#sheet input").fill("low ebb")
    page.locator("[data-act=name-done]").click()
    state_until(page, "s.scenes.some((one) => one.name === 'low ebb') && !s.scenes.some((one) => one.name === 'ebb')")
    page.locator('[data-cell="2/1"]').click()
    state_until(page, "!b['layer2.cluster1.dilate'].on")
    page.locator('[data-scene="low ebb"]').click()
    state_until(page, "b['layer2.cluster1.dilate'].on && s.addresses['/audiobend/scene/load'][0] === 'low ebb'")
    page.wait_for_selector('[data-scene="low ebb"][aria-pressed=true]')


def test_steps_lead_back_and_forth(page):
    page.locator('[data-card="fog"] [data-act=switch]').click()
    state_until(page, "b.fog.on")
    page.locator("[data-act=undo]").click()
    state_until(page, "!b.fog.on")
    page.wait_for_selector('[data-card="fog"] [data-act=switch][aria-checked=false]')
    page.locator("[data-act=redo]").click()
    state_until(page, "b.fog.on")


def test_a_bend_is_dragged_to_another_place_and_moved_back_by_keys(page):
    place = "s.order.indexOf('fog') - s.order.indexOf('lean')"
    state_until(page, f"{place} === -1")
    (x, y), (_, below) = (middle(page, f'[data-card="{name}"] .drag') for name in ("fog", "lean"))
    drag(page, (x, y), (x, below + 12))
    state_until(page, f"{place} === 1")
    page.locator('[data-card="fog"] [data-act=switch]').focus()
    page.keyboard.press("Alt+ArrowUp")
    state_until(page, f"{place} === -1")


def test_a_bend_is_added_and_removed(page):
    page.locator("[data-act=add]").click()
    page.locator("#sheet [data-option='2']").click()
    page.locator("[data-act=add-bend]").click()
    state = state_until(page, "s.bends.some((one) => one.layer === '2' && one.on && one.features === 'all')")
    (added,) = [one["id"] for one in state["bends"] if one["layer"] == "2" and one["features"] == "all"]
    page.locator(f'[data-card="{added}"] [data-act=remove]').click()
    state_until(page, "!b[argument]", added)


def test_a_bend_plays_solo_from_its_cell_and_from_its_card(page):
    page.locator("[data-transform=invert]").click()
    page.locator('[data-cell="4/1"]').click()
    page.locator('[data-cell="4/1"]').click(button="right")
    page.locator("#sheet [data-act=solo]").click()
    state_until(page, "s.addresses['/audiobend/solo'][0] === 'layer4.cluster1.invert'")
    page.locator("#sheet [data-act=close]").click()
    page.locator('[data-card="layer4.cluster1.invert"] [data-act=solo]').click()
    state_until(page, "s.addresses['/audiobend/solo'][0] === ''")


def test_a_macro_is_bound_to_the_control_that_was_touched_and_moves_it(page):
    page.locator('[data-card="fog"] [data-act=expand]').click()
    page.locator('[role=slider][data-address="/audiobend/bend/fog/mix"]').focus()
    page.locator("[data-act=macros]").click()
    page.locator('[data-address="/audiobend/macro/3"]').click(button="right")
    page.locator("#sheet [data-act=bind]").click()
    page.wait_for_selector('#sheet [data-bound="fog/mix"]')
    page.keyboard.press("Escape")
    macro = page.locator('[data-address="/audiobend/macro/3"]')
    macro.press("End")
    state_until(page, "b.fog.mix === 1 && s.addresses['/audiobend/macro/3'][0] === 1")
    macro.press("Home")
    state_until(page, "b.fog.mix === 0")
    page.wait_for_selector('[role=slider][data-address="/audiobend/bend/fog/mix"][aria-valuenow="0"]')
    macro.press("Enter")
    page.locator('#sheet [aria-label="fog/mix at 100 %"]').fill("0.5")
    page.keyboard.press("Enter")
    state_until(page, "s.addresses['/audiobend/macro/3/bind'].join() === 'fog/mix,0,0.5'")
    page.locator("#sheet [data-act=unbind]").click()
    state_until(page, "!s.addresses['/audiobend/macro/3/bind']?.length")


# --- learning ---

MIDI = """window.knob = null;
navigator.requestMIDIAccess = async () => {
    const input = {name: 'eight knobs', onmidimessage: null};
    window.knob = (...data) => input.onmidimessage({data});
    return {inputs: new Map([['1', input]]), outputs: new Map(), onstatechange: null};
};"""


def test_a_midi_knob_is_learned_turns_the_control_and_is_known_after_a_reload(hand, rig, page):
    other = hand.open(rig.url, script=MIDI, reduced_motion="reduce")
    other.locator('[data-card="fog"] [data-act=expand]').click()
    slider = other.locator('[role=slider][data-address="/audiobend/bend/fog/mix"]')
    slider.press("l")
    other.wait_for_selector("[data-act=learn][aria-pressed=true]")
    other.wait_for_function("() => window.knob")
    other.evaluate("knob(0xB0, 21, 64)")
    other.wait_for_selector("[data-act=learn][aria-pressed=false]")
    other.evaluate("knob(0xB0, 21, 127)")
    state_until(other, "b.fog.mix === 1")
    other.evaluate("knob(0xB0, 22, 0)")    # another one
    other.evaluate("knob(0xB0, 21, 0)")
    state_until(other, "b.fog.mix === 0")
    page.wait_for_function("() => audiobend.store.bends.find((one) => one.id === 'fog').mix === 0")
    other.reload()
    there(other)
    other.wait_for_function("() => window.knob")
    other.evaluate("knob(0xB0, 21, 127)")
    state_until(other, "b.fog.mix === 1")
    other.keyboard.press(",")
    other.locator('[aria-label="Forget /audiobend/bend/fog/mix"]').click()
    other.wait_for_selector('[aria-label="Forget /audiobend/bend/fog/mix"]', state="detached")


def test_an_address_that_osc_sends_is_learned_and_escape_leaves_it(page, rig):
    page.locator('[data-address="/audiobend/gain"]').focus()
    page.keyboard.press("l")
    page.wait_for_selector("[data-act=learn][aria-pressed=true]")
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-act=learn][aria-pressed=false]")
    assert page.evaluate("audiobend.store.kept.mappings ?? []") == []
    page.keyboard.press("l")
    with OscClient("127.0.0.1", rig.osc_port) as osc:
        while page.locator("[data-act=learn]").get_attribute("aria-pressed") == "true":
            osc.send("/fader/3", (0.62,))
            page.wait_for_timeout(100)    # the page may not have begun to listen
        while page.evaluate("audiobend.store.values.get('/audiobend/gain')[0]") != 24:
            osc.send("/fader/3", (1.0,))
            page.wait_for_timeout(100)
        state_until(page, "s.addresses['/audiobend/gain'][0] === 24")
        page.wait_for_function("() => document.querySelector('#heard').textContent.includes('/fader/3')")
        osc.send("/audiobend/gain", (0.0,))
    state_until(page, "s.addresses['/audiobend/gain'][0] === 0")


# --- takes and files ---


INK = """() => { const canvas = document.querySelector('#timeline');
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let drawn = 0; for (let i = 3; i < pixels.length; i += 4) drawn += pixels[i] > 0; return drawn; }"""
"""How many pixels of the timeline are drawn."""


def taken(page) -> str:
    """Record a take in which a cell is touched; its name."""
    page.locator(".top [data-act=take]").click()
    page.wait_for_selector(".top [data-act=take][aria-pressed=true]")
    name = state_until(page, "s.take")["take"]
    page.locator("[data-transform=erode]").click()
    page.locator('[data-cell="1/1"]').click()
    state_until(page, "b['layer1.cluster1.erode']?.on")
    seconds = page.evaluate("audiobend.store.status.seconds")
    page.wait_for_function("(seconds) => audiobend.store.status.seconds > seconds + 2", arg=seconds)
    page.locator(".top [data-act=take]").click()
    page.wait_for_selector(".top [data-act=take][aria-pressed=false]")
    page.wait_for_function(
        "(name) => document.querySelector('#timeline').ariaLabel.startsWith(`Take ${name},`)", arg=name
    )
    page.wait_for_function(f"() => ({INK})() > 0")
    return name


def downloaded(page, job: str, folder):
    """Wait for a rendering and download it, by its link."""
    with page.expect_download() as waiting:
        page.locator(f"{job} [data-result]").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_take_is_recorded_seen_rendered_and_downloaded(page, tmp_path):
    name = taken(page)
    sf.write(tmp_path / "under.wav", 0.5 * np.sin(np.arange(RATE) / 8), RATE)
    drop(page, tmp_path / "under.wav", "input")
    page.wait_for_function("() => document.querySelector('#in-name').textContent === 'under.wav'")
    page.locator("[data-act=render-take]").click()
    path = downloaded(page, f'[aria-label="Render {name}"]', tmp_path)
    assert sf.info(path).frames == RATE
    page.keyboard.press(",")
    page.locator("[data-act=back-to-card]").click()
    page.wait_for_function("() => document.querySelector('#in-name').textContent !== 'under.wav'")
    assert name_of_input(page) == "softcard"


def test_a_take_is_played_again_into_the_sound_and_its_playhead_runs(page):
    name = taken(page)
    page.locator('[data-cell="1/1"]').press("Space")
    state_until(page, "!b['layer1.cluster1.erode'].on")
    page.locator("[data-act=play-take]").click()
    page.wait_for_selector("#playhead", state="visible")
    state_until(page, "b['layer1.cluster1.erode']?.on")
    state_until(page, "s.addresses['/audiobend/take/playing'][0] === ''")
    page.wait_for_selector("#playhead", state="hidden")
    assert page.locator("#takes").input_value() == name


def test_what_moves_by_itself_is_seen_to_move(page):
    page.locator('[data-card="lean"] [data-act=expand]').click()
    page.locator('[data-card="lean"] select[data-address="/audiobend/bend/lean/radius/lfo"]').select_option("sine")
    now = "audiobend.store.moving.get('/audiobend/bend/lean/radius')"
    page.wait_for_function(f"() => {now} !== undefined")
    seen = page.evaluate(now)
    page.wait_for_function(f"(seen) => {now} !== seen", arg=seen)
    page.locator('[data-card="lean"] select[data-address="/audiobend/bend/lean/radius/lfo"]').select_option("off")
    page.wait_for_function(f"() => {now} === undefined")


def test_a_sound_that_is_dropped_on_the_other_half_is_rendered(page, tmp_path):
    page.locator('[data-card="fog"] [data-act=switch]').click()
    state_until(page, "b.fog.on")
    sound = noise(1.5)
    sf.write(tmp_path / "beach.wav", sound, RATE)
    drop(page, tmp_path / "beach.wav", "render")
    path = downloaded(page, '[aria-label="Render beach.wav"]', tmp_path)
    bent, rate = sf.read(path)
    assert (path.name, rate, len(bent)) == ("beach.bent.wav", RATE, len(sound))
    assert np.abs(bent - sound).max() > OTHER
    assert name_of_input(page) == "softcard"


# --- what is played is recorded ---


def recording(page, begins: str = ".take header [data-act=record]") -> str:
    """Press Record; return the name that the engine gave it, once some of it has been played."""
    page.locator(begins).click()
    page.wait_for_selector("html[data-recording=on]")
    page.wait_for_function("() => audiobend.store.status.recording_seconds > 1")
    return state_until(page, "s.addresses['/audiobend/recording/name'][0]")["addresses"]["/audiobend/recording/name"][0]


def as_24_bits(samples: np.ndarray) -> np.ndarray:
    return np.rint(samples.astype(np.float64) * 2**23).astype(np.int64)


def recorded(path) -> np.ndarray:
    samples, rate = sf.read(path, dtype="int32", always_2d=True)
    assert rate == RATE
    return samples.astype(np.int64) >> 8


def lies_in(part: np.ndarray, whole: np.ndarray) -> bool:
    """Whether a stretch of sound is there, sample for sample."""
    starts = np.flatnonzero(np.all(whole == part[0], axis=1))
    return any(np.array_equal(whole[at : at + len(part)], part) for at in starts)


def test_what_the_speaker_gets_is_recorded_listed_and_downloaded_bit_for_bit(page, rig, tmp_path):
    page.locator('[data-card="fog"] [data-act=switch]').click()
    rig.ears.until_other()
    name = recording(page)
    assert page.locator(".take header [data-act=record] span").inner_text().startswith("0:0")
    page.locator(".take header [data-act=record]").click()
    with page.expect_download() as waiting:
        page.locator(f"[data-recorded='{name}'] a").click()
    waiting.value.save_as(tmp_path / "down.wav")
    assert waiting.value.suggested_filename == f"{name}.wav"
    assert page.evaluate("document.documentElement.dataset.recording") == ""
    heard = as_24_bits(rig.ears.so_far())
    samples = recorded(tmp_path / "down.wav")
    assert len(samples) > RATE and lies_in(samples, heard)
    page.locator("[data-act=download]").click()
    page.wait_for_selector(f"[data-recording='{name}']")
    page.keyboard.press("Escape")


def test_a_recording_that_osc_begins_is_seen_and_ended_by_the_keyboard(page, rig):
    with OscClient("127.0.0.1", rig.osc_port) as osc:
        osc.request("/audiobend/recording/start", ["from elsewhere"])
        page.wait_for_selector(".take header [data-act=record][aria-pressed=true]")
        page.wait_for_function("() => audiobend.store.status.recording_seconds > 0.5")
        page.keyboard.press("Shift+T")
        page.wait_for_selector("[data-recorded='from elsewhere']")
        assert osc.request("/audiobend/recording/name")[0].args == ("",)
        assert "from elsewhere" in [one.args[-1] for one in osc.request("/audiobend/list/recordings")]


def test_a_recording_goes_on_through_another_card(page, rig, tmp_path):
    other = SoftCard(tmp_path, None, name="othercard", seconds=60)
    try:
        name = recording(page)
        page.keyboard.press(",")
        page.locator("#sheet [aria-label=Output] option[value=othercard]").wait_for(state="attached")
        before = page.evaluate("audiobend.store.status.recording_seconds")
        page.locator("#sheet [aria-label=Output]").select_option("othercard")
        state_until(page, "s.addresses['/audiobend/output'][0] === 'othercard'")
        assert wait_for(lambda: loudness(other) > OTHER, 60)
        rig.ears.until_silent()
        page.wait_for_function("(before) => audiobend.store.status.recording_seconds > before + 3", arg=before)
        page.keyboard.press("Escape")
        page.locator(".take header [data-act=record]").click()
        page.wait_for_selector(f"[data-recorded='{name}']")
        samples = recorded(rig.folder / "session" / "recordings" / f"{name}.wav")
        first, last = samples[: RATE // 2], samples[-RATE // 2 :]
        assert lies_in(first, as_24_bits(rig.ears.so_far())) and lies_in(last, as_24_bits(other.so_far()))
        page.keyboard.press(",")
        page.locator("#sheet [aria-label=Output]").select_option("softcard")
        rig.ears.until_heard()
    finally:
        other.close()
    rig.ears.until_same()


# --- what it is played on ---


def test_another_card_and_another_profile_are_chosen_while_sound_runs(page, rig, tmp_path):
    other = SoftCard(tmp_path, None, name="othercard", seconds=60)
    try:
        page.keyboard.press(",")
        page.locator("#sheet [aria-label=Output] option[value=othercard]").wait_for(state="attached")
        page.locator("#sheet [aria-label=Output]").select_option("othercard")
        state_until(page, "s.addresses['/audiobend/output'][0] === 'othercard'")
        assert wait_for(lambda: loudness(other) > OTHER, 60)
        rig.ears.until_silent()
        page.locator("#sheet [aria-label=Output]").select_option("softcard")
        rig.ears.until_heard()
        page.locator("#sheet [data-profile=low]").click()
        page.wait_for_function("() => audiobend.store.hello.profile === 'low' && audiobend.store.status.is_bent")
        assert page.evaluate("audiobend.store.hello.latency.total_ms") < rig.facts["latency_ms"]
        page.wait_for_selector("#sheet [data-profile=low][aria-checked=true]")
        page.locator("#sheet [data-profile=balanced]").click()
        page.wait_for_function("() => audiobend.store.hello.profile === 'balanced' && audiobend.store.status.is_bent")
    finally:
        other.close()
    rig.ears.until_same()


# --- what must not be lost ---


def test_a_reload_in_mid_performance_loses_nothing(page, rig):
    page.locator("[data-transform=invert]").click()
    page.locator('[data-cell="2/1"]').focus()
    page.keyboard.press("Space")
    page.wait_for_selector('[data-cell="2/1"][aria-pressed=true]')
    before = state_until(page, "b['layer2.cluster1.invert']?.on")
    page.reload()
    there(page)
    page.wait_for_selector('[data-cell="2/1"][aria-pressed=true]')
    after = state_until(page, "true")
    assert after["bends"] == before["bends"] and after["addresses"] == before["addresses"]
    rig.ears.until_other()


def test_a_page_comes_back_by_itself_when_its_server_has_died(page, rig):
    before = state_until(page, "true")
    live = psutil.Process(rig.process.pid)
    served = [one for one in live.children(recursive=True) if any(c.laddr.port for c in one.net_connections("tcp"))]
    served[0].kill()
    page.wait_for_selector("html:not([data-link=up])")
    page.wait_for_selector("html[data-link=up]")
    assert state_until(page, "true")["bends"] == before["bends"]
    page.locator("[data-transform=invert]").click()
    page.locator('[data-cell="3/0"]').click()
    state_until(page, "b['layer3.cluster0.invert']?.on")
    rig.ears.until_other()
