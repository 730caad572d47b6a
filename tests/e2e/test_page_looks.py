"""The page as one sees it, touches it and hears it read, in headless Chromium against a live engine without a card."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from tests.parts import chromium

pytestmark = pytest.mark.slow

SIZES = {"desk": (1440, 900), "tablet": (1024, 768), "phone": (390, 844), "zoomed": (720, 450)}
VIEWS = {
    "desk": ["play"],
    "tablet": ["play", "chain", "take"],
    "phone": ["play", "chain", "scenes", "take"],
}
PATIENCE = 120_000
"""Milliseconds that a state may take to come about; nothing is waited for longer than it needs."""

AUDIT = (Path(__file__).parent / "page_audit.js").read_text()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where a live engine serves its page: a file plays in a circle, two bends stand in the chain."""
    session = tmp_path_factory.mktemp("session")
    (session / "scenes").mkdir()
    for name in ("glass", "storm"):
        shutil.copy(EXAMPLES / "patches" / f"{name}.yaml", session / "scenes")
    command = [sys.executable, "-c", "from audiobend.cli import main; main()", "live", "--no-audio", "--loop"]
    command += ["--from", EXAMPLES / "sounds" / "pressure.flac", "--patch", EXAMPLES / "patches" / "low_tide.yaml"]
    command += ["--backend", "torch", "--osc-port", 0, "--page-port", 0, "--session", session]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        lines = []
        for line in running.stdout:
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                break
        else:
            pytest.fail("".join(lines))
        yield found[0]
        running.terminate()


@pytest.fixture
def opened(browser, address):
    """A function that opens the page: size, theme and view; errors of its scripts fail the test."""
    contexts, errors = [], []

    def open_page(size="desk", theme="dark", view="play"):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}/?view={view}")
        page.wait_for_selector("html[data-link=up]")
        page.wait_for_selector("[data-cell]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def state_of(page):
    return page.evaluate("fetch('/api/state').then((answer) => answer.json())")


def until(page, condition, argument=None):
    """Wait until the engine's own state fulfils a condition in JavaScript over ``state``."""
    script = f"""async (argument) => {{
        const state = await (await fetch('/api/state')).json();
        const bend = (id) => state.bends.find((one) => one.id === id);
        return {condition};
    }}"""
    for _ in range(600):
        if page.evaluate(script, argument):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never: {condition}; {json.dumps(state_of(page)['bends'])}")


def touch(page, selector, *heights):
    """Touch the middle of an element, move up so many pixels step by step, and let go, all at one go."""
    page.evaluate(
        """([selector, heights]) => {
            const node = document.querySelector(selector), box = node.getBoundingClientRect();
            node.setPointerCapture = () => {};
            const event = (type, up) => node.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerId: 1,
                clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 - up}));
            event('pointerdown', 0);
            for (const up of heights) event('pointermove', up);
            event('pointerup', heights.at(-1) ?? 0);
        }""",
        [selector, list(heights)],
    )


# --- what is there ---


@pytest.mark.parametrize("size", VIEWS)
def test_every_view_is_whole_and_nothing_scrolls_sideways(opened, size):
    page = opened(size)
    seen = {"play": "#grid", "chain": "#cards", "scenes": "#pad", "take": "#timeline"}
    for view in VIEWS[size]:
        if size != "desk":
            page.locator(f"[data-go={view}]:visible").click()
        assert page.locator(seen[view]).is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
        assert page.evaluate("document.documentElement.scrollHeight") == SIZES[size][1]
        assert page.locator("[data-act=panic]:visible").count() == 1
    if size == "desk":
        assert all(page.locator(part).is_visible() for part in seen.values())


def test_both_spectra_are_drawn_and_go_on(opened):
    page = opened()
    ink = """() => { const canvas = document.querySelector('#spectra');
        const pixels = canvas.getContext('2d').getImageData(canvas.width - 200, 0, 120, canvas.height).data;
        let sum = 0; for (let i = 0; i < pixels.length; i += 4) sum += pixels[i]; return sum; }"""
    page.wait_for_function(f"() => ({ink})() > 400000")
    before = page.evaluate(ink)
    page.wait_for_function(f"(before) => ({ink})() !== before", arg=before)
    page.locator("[data-act=freeze]").click()
    page.wait_for_function("() => audiobend.store.frozen")


@pytest.mark.parametrize(
    ("size", "theme"), [("desk", "dark"), ("desk", "light"), ("tablet", "dark"), ("phone", "light")]
)
def test_names_roles_sizes_and_contrasts_hold(opened, size, theme):
    page = opened(size, theme)
    for view in VIEWS[size]:
        if size != "desk":
            page.locator(f"[data-go={view}]:visible").click()
        assert page.evaluate(AUDIT) == []
    for key in ("?", ","):
        page.keyboard.press(key)
        page.wait_for_selector("#sheet:not([hidden])")
        assert page.evaluate(AUDIT) == []
        page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_sheet_holds_them_too(opened, theme):
    page = opened("desk", theme)
    page.locator('[data-card="fog"] [data-act=expand]').click()
    page.locator("[data-act=macros]").click()
    assert page.evaluate(AUDIT) == []
    ways = {
        "cell": lambda: page.locator('[data-cell="3/1"]').click(button="right"),
        "all": lambda: page.locator("[data-act=all]").click(),
        "add": lambda: page.locator("[data-act=add]").click(),
        "scene": lambda: page.locator('[data-scene="glass"]').click(button="right"),
        "name": lambda: page.locator("[data-scene-save]").click(),
        "macro": lambda: page.locator('[data-address="/audiobend/macro/3"]').click(button="right"),
        "downloads": lambda: page.locator("[data-act=download]").click(),
        "drop": lambda: page.locator("[data-act=drop]").click(),
    }
    for sheet, way in ways.items():
        way()
        page.wait_for_selector(f"html[data-overlay={sheet}]")
        assert page.evaluate(AUDIT) == [], sheet
        page.keyboard.press("Escape")
        page.wait_for_selector('html[data-overlay=""]')


def test_at_twice_the_size_everything_is_within_reach(opened):
    page = opened("zoomed")
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [720, 450]
    assert page.locator("[data-act=panic]:visible").count() == 1
    page.locator('[data-cell="4/2"]').scroll_into_view_if_needed()
    box = page.locator('[data-cell="4/2"]').bounding_box()
    assert box["height"] >= 44 and box["y"] + box["height"] <= 450
    assert page.evaluate(AUDIT) == []


def test_the_theme_follows_the_system_and_the_switch(opened):
    page = opened("desk", "light")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.keyboard.press(",")
    page.locator("#sheet [data-option=dark]").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    page.wait_for_selector("html[data-link=up][data-theme=dark]")


# --- hands ---


def test_a_touch_switches_at_once_and_the_same_finger_turns_the_strength(opened):
    page = opened()
    page.locator("[data-transform=erode]").click()
    touch(page, '[data-cell="2/1"]', 20, 80)
    until(page, "bend('layer2.cluster1.erode')?.on && bend('layer2.cluster1.erode').params.radius >= 18")
    page.wait_for_selector('[data-cell="2/1"].on[aria-pressed=true]')
    page.wait_for_timeout(350)    # a second tap sooner would be a double tap
    touch(page, '[data-cell="2/1"]')
    until(page, "!bend('layer2.cluster1.erode').on")
    page.wait_for_selector('[data-cell="2/1"][aria-pressed=false]')


def test_a_right_click_opens_the_sheet_and_changes_nothing(opened):
    page = opened()
    before = state_of(page)["bends"]
    page.locator('[data-cell="1/2"]').click(button="right")
    page.wait_for_selector("html[data-overlay=cell]")
    assert page.locator("#sheet [role=slider]").count() >= 1
    page.keyboard.press("Escape")
    page.wait_for_selector('html[data-overlay=""]')
    assert state_of(page)["bends"] == before
    assert page.locator("[data-act=panic]:visible").is_enabled()


def test_the_page_is_played_by_keys_alone(opened):
    page = opened()
    page.locator("[data-transform=invert]").click()
    page.locator('[data-cell="4/0"]').focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.cell") == "4/1"
    page.keyboard.press("Space")
    until(page, "bend('layer4.cluster1.invert')?.on")
    assert page.locator("#address").text_content() == "/audiobend/layer/4/cluster/1/invert/mix"
    page.keyboard.press("z")
    until(page, "!bend('layer4.cluster1.invert')?.on")
    page.keyboard.press("Shift+Z")
    until(page, "bend('layer4.cluster1.invert')?.on")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-overlay=cell]")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.cell") == "4/1"
    page.keyboard.press("z")


def test_panic_makes_the_page_dry_and_undo_brings_every_bend_back(opened):
    page = opened()
    on = sorted(bend["id"] for bend in state_of(page)["bends"] if bend["on"])
    assert on
    page.keyboard.press(".")
    until(page, "state.bends.every((one) => !one.on) && state.addresses['/audiobend/bypass'][0] === 1")
    page.wait_for_selector("html[data-listening=dry]")
    page.keyboard.press("z")
    until(page, "argument.every((id) => bend(id).on) && state.addresses['/audiobend/bypass'][0] === 0", on)
    page.wait_for_selector("html[data-listening=bent]")


def test_a_slider_of_the_chain_turns_by_keys_and_types(opened):
    page = opened()
    page.locator('[data-card="fog"] [data-act=expand]').click()
    slider = page.locator('[role=slider][data-address="/audiobend/bend/fog/mix"]')
    slider.focus()
    page.keyboard.press("End")
    until(page, "bend('fog').mix === 1")
    page.locator('[data-value="/audiobend/bend/fog/mix"]').click()
    page.keyboard.type("40")
    page.keyboard.press("Enter")
    until(page, "Math.abs(bend('fog').mix - 0.4) < 1e-6")
    page.wait_for_selector('[data-address="/audiobend/bend/fog/mix"][aria-valuenow="0.4"]')


def test_a_scene_is_saved_by_name_and_its_slot_appears(opened):
    page = opened()
    page.locator("[data-scene-save]").click()
    page.locator("#sheet input").fill("low water")
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-scene="low water"]')
    until(page, "state.scenes.some((scene) => scene.name === 'low water')")
    assert page.evaluate("document.documentElement.dataset.overlay") == ""


def test_a_second_page_follows_the_first(opened):
    first, second = opened(), opened("phone")
    first.locator('[data-address="/audiobend/detail"]').focus()
    first.keyboard.press("End")
    second.wait_for_function("() => audiobend.store.values.get('/audiobend/detail')?.[0] === 1")
    first.keyboard.press("Home")
    second.wait_for_function("() => audiobend.store.values.get('/audiobend/detail')?.[0] === 0")
