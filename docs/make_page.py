"""Take the pictures of docs/page: the page in Chromium, while the engine plays and a hand bends.

    python docs/make_page.py [--all FOLDER]

With --all every view is taken at every size in both themes, with forced colours and with text twice as large as well,
to be looked at; FOLDER is made where it is missing.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "page"
TRACK = ROOT / "examples" / "sounds" / "pressure.flac"
SIZES = {"desk": (1440, 900), "stage": (1024, 768), "phone": (390, 844)}
VIEWS = ("play", "chain", "scenes", "take")
SHEETS = ("help", "settings", "cell", "drop", "all", "downloads")
SHOWN = (
    *(f"desk-dark-{view}" for view in ("play", "cell", "help", "all", "open")),
    "desk-light-play", "desk-light-settings",
    "stage-dark-play", "stage-dark-take", "stage-light-chain", "stage-light-play",
    *(f"phone-{one}" for one in ("dark-play", "dark-scenes", "light-chain", "light-play", "light-take")),
)
"""Pictures that stand in the documentation: size, theme and view."""
PATCH = """audiobend: 1
name: low tide
transforms:
  - {id: fog, layer: 3, transform: erode, params: {radius: 8}, features: cluster, feature-param: 1}
  - {id: dust, layer: 2, transform: scalar-multiply, params: {factor: 1.6}, features: random, feature-param: 0.25,
     on: false}
  - {id: crack, layer: 2, transform: erode, params: {radius: 14}, features: cluster, feature-param: 2, on: false}
  - {id: glide, layer: 1, transform: translate, params: {x: 0.12}, features: cluster, feature-param: 1, on: false}
  - {id: shine, layer: 4, transform: scalar-multiply, params: {factor: 2}, features: cluster, feature-param: 3}
  - {id: hush, layer: 1, transform: ablate, features: cluster, feature-param: 4, on: false}
modulation:
  - {target: fog/radius, lfo: sine, rate_hz: 0.4, depth: 4}
macros:
  1: fog/mix
  2: [dust/factor, crack/radius]
output: {detail: 0.2, gain_db: -1.5}
"""
SECOND = "(after) => audiobend.store.status.seconds > after"


def main() -> None:
    """Take them."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--all", type=Path, metavar="FOLDER")
    given = words.parse_args()
    folder = given.all or PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        performance, url = started(Path(scratch))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            perform(browser, url)
            for size in SIZES:
                for theme in ("dark", "light"):
                    take(browser, url, size, theme, folder, given.all is not None)
        finally:
            browser.close()
            performance.terminate()
            performance.communicate()


def started(folder: Path) -> "tuple[subprocess.Popen[str], str]":
    """Start a performance with scenes; return it and where its page is."""
    (folder / "session" / "scenes").mkdir(parents=True)
    for path in sorted((ROOT / "examples" / "patches").glob("*.yaml"))[:6]:
        shutil.copy(path, folder / "session" / "scenes")
    (folder / "patch.yaml").write_text(PATCH)
    command = [sys.executable, "-c", "from audiobend.cli import main; main()", "live", "--no-audio", "--from", TRACK]
    command += ["--loop", "--patch", folder / "patch.yaml", "--session", folder / "session", "--json"]
    command += ["--backend", "torch", "--osc-port", 0, "--page-port", 0]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        facts: dict[str, Any] = json.loads(line)
        if facts["event"] == "start":
            return process, facts["page"]["url"]
    raise SystemExit("audiobend live has ended")


def opened(browser: Browser, url: str, size: str, theme: str, zoom: int = 1, **more: Any) -> Page:
    """Open the page, and wait until it knows the engine."""
    viewport = dict(zip(("width", "height"), (side // zoom for side in SIZES[size]), strict=True))
    page = browser.new_context(viewport=viewport, color_scheme=theme, device_scale_factor=zoom, **more).new_page()
    page.goto(url)
    page.wait_for_selector("html[data-link=up]")
    page.wait_for_selector("[data-cell]", state="attached")
    return page


def wait(page: Page, seconds: float) -> None:
    """Let so much sound pass."""
    page.wait_for_function("() => audiobend.store.status.seconds > 0")
    page.wait_for_function(SECOND, arg=page.evaluate("audiobend.store.status.seconds") + seconds)


def perform(browser: Browser, url: str) -> None:
    """Record a take, and what is heard: bends come and go, one of them is turned."""
    page = opened(browser, url, "desk", "dark", reduced_motion="reduce")
    page.locator("[data-act=record]:visible").click()
    page.locator(".top [data-act=take]").click()
    for name in ("dust", "crack", "shine", "glide", "crack", "shine", "crack", "dust", "shine", "dust"):
        page.locator(f'[data-card="{name}"] [data-act=switch]').click()
        wait(page, 1.2)
        for _ in range(4):
            page.locator('[data-cell="3/1"]').press("+" if name in ("dust", "shine") else "-")
    page.locator(".top [data-act=take]").click()
    page.wait_for_selector(".top [data-act=take][aria-pressed=false]")
    page.locator("[data-act=record]:visible").click()
    page.wait_for_selector("[data-recorded]")
    page.context.close()


def take(browser: Browser, url: str, size: str, theme: str, folder: Path, is_all: bool) -> None:
    """Take the pictures of one size and theme."""
    wanted = {one for one in SHOWN if one.startswith(f"{size}-{theme}-")}
    views = [*(VIEWS if size != "desk" else ("play", "open")), *SHEETS]
    names = {f"{size}-{theme}-{view}": view for view in views if is_all or f"{size}-{theme}-{view}" in wanted}
    if not names:
        return
    page = opened(browser, url, size, theme)
    page.locator("[data-transform=erode]").click()
    colour(page, {"desk": 1.7, "stage": 1.3, "phone": 0.8}[size])
    for name, view in names.items():
        shot(page, view, folder / f"{name}.png")
    page.context.close()
    if is_all and theme == "dark":
        special(browser, url, size, folder)


def colour(page: Page, seconds: float) -> None:
    """Let one bend after the other come in, so that each is seen."""
    with page.expect_response("**/api/state") as answer:
        page.evaluate("() => fetch('/api/state')")
    for one in answer.value.json()["bends"]:
        if one["on"] != (one["id"] == "shine"):
            turn(page, one["switch"], one["id"] == "shine")
    for name in ("fog", "glide", "dust", "crack"):
        wait(page, seconds)
        turn(page, f"/audiobend/bend/{name}/on", True)
    wait(page, seconds)


def turn(page: Page, address: str, on: bool) -> None:
    """Switch a bend, whatever view is open."""
    tell = "async (command) => (await import('/static/engine.js')).tellEngine(command)"
    page.evaluate(tell, [address, int(on)])


def special(browser: Browser, url: str, size: str, folder: Path) -> None:
    """With the system's own few colours, and with text twice as large."""
    page = opened(browser, url, size, "dark", forced_colors="active")
    wait(page, 2)
    shot(page, "play", folder / f"{size}-forced-play.png")
    shot(page, "settings", folder / f"{size}-forced-settings.png")
    page.context.close()
    page = opened(browser, url, size, "dark", zoom=2)
    wait(page, 2)
    shot(page, "play", folder / f"{size}-zoom-play.png")
    page.context.close()


def shot(page: Page, view: str, path: Path) -> None:
    """Show a view and take its picture."""
    tab = page.locator(f"[data-go={view}]:visible")
    if view in VIEWS and tab.count():
        tab.click()
    elif view not in VIEWS and page.locator("[data-go=play]:visible").count():
        page.locator("[data-go=play]:visible").click()
    {
        "help": lambda: page.keyboard.press("?"),
        "settings": lambda: page.keyboard.press(","),
        "cell": lambda: page.locator('[data-cell="3/1"]').click(button="right"),
        "drop": lambda: page.evaluate("document.querySelector('[data-act=drop]').click()"),
        "all": lambda: page.locator("[data-act=all]").click(),
        "downloads": lambda: downloads(page),
        "open": lambda: (expanded(page), None)[1],
    }.get(view, lambda: None)()
    page.wait_for_timeout(300)
    page.screenshot(path=path)
    page.keyboard.press("Escape")
    print(path.name, flush=True)


def downloads(page: Page) -> None:
    """Show what can be downloaded, while something is being recorded."""
    if not page.locator("[data-act=download]:visible").count():
        page.locator("[data-go=take]:visible").click()
    page.locator("[data-act=record]:visible").click()
    page.wait_for_selector("[data-act=record][aria-pressed=true]:visible")
    page.locator("[data-act=download]").click()
    page.wait_for_selector("[data-recording]")
    page.wait_for_timeout(1200)
    turn(page, "/audiobend/recording/stop", True)


def expanded(page: Page) -> None:
    """Open a bend of the chain, and the macros."""
    page.locator('[data-card="fog"] [data-act=expand]').click()
    page.locator("[data-act=macros]").click()


if __name__ == "__main__":
    main()
