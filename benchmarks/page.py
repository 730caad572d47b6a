"""What the page costs the sound: late blocks and load with 0, 1 and 8 pages open, in one run.

    python benchmarks/page.py [--quick] [--check] [--json] [--seconds S]

`audiobend live --no-audio` plays a track with the patch `low tide`, in real time. Pages are opened by another process:
each takes all spectra and all maps and turns a number thirty times a second, as a hand does. Each number of pages is
looked at several times in turn, so that what else the machine does falls on all alike. Then Chromium opens the page,
where there is one: what drawing takes of each frame, at the desk's size and at the phone's. Promise kept with --check:
no block is late with pages where none is without, the load grows by less than a twentieth of a core (the viewers share
its caches), and a frame of the desk takes less than 4 ms on the average.
"""

import argparse
import asyncio
import json
import multiprocessing
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[1]
TRACK = ROOT / "examples" / "sounds" / "pressure.flac"
PATCH = ROOT / "examples" / "patches" / "low_tide.yaml"
PAGES = (0, 1, 8)
GROWTH = 0.05
BUDGET_MS = 4.0
SCREENS = {"desk": (1440, 900), "phone": (390, 844)}


def main() -> None:
    """Measure and tell."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="one short look at each")
    words.add_argument("--check", action="store_true", help="exit status 1 where the promise is not kept")
    words.add_argument("--json", action="store_true")
    words.add_argument("--seconds", type=float, default=20.0, help="of each look")
    given = words.parse_args()
    rounds, seconds = (1, 5.0) if given.quick else (3, given.seconds)
    found, drawn = measured(rounds, seconds)
    if given.json:
        print(json.dumps({"pages": found, "frames": drawn}, indent=1))
    else:
        print("\n\n".join(table(one) for one in (found, drawn) if one))
    if given.check and not is_kept(found):
        sys.exit("the page is heard")
    if given.check and any(one["mean_ms"] >= BUDGET_MS for one in drawn if one["screen"] == "desk"):
        sys.exit(f"a frame takes {BUDGET_MS:g} ms or more")


def measured(rounds: int, seconds: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return for each number of pages what was seen of the sound, and for each screen what frames take."""
    command = [Path(sys.executable).with_name("audiobend"), "live", "--no-audio", "--from", TRACK, "--loop", "--json"]
    command += ["--patch", PATCH, "--osc-port", 0, "--page-port", 0, "--backend", "torch"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    try:
        url = event(process, "start")["page"]["url"]
        looks = [look(process, url, pages, seconds) for _ in range(rounds) for pages in PAGES]
        drawn = frames(url, min(seconds, 10.0))
    finally:
        process.terminate()
        process.communicate()
    return [summary(pages, [one for one in looks if one["pages"] == pages]) for pages in PAGES], drawn


def frames(url: str, seconds: float) -> list[dict[str, Any]]:
    """Return what each frame takes in Chromium, by screen; nothing where there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        return []
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for screen, (width, height) in SCREENS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(url)
            page.wait_for_selector("html[data-link=up]")
            page.wait_for_function("() => audiobend.store.levels")
            page.wait_for_timeout(2000)    # until the picture is full and the code is compiled
            page.evaluate("audiobend.frame.reset()")
            page.wait_for_timeout(1000 * seconds)
            cost = page.evaluate("({...audiobend.frame})")
            found.append({
                "screen": screen,
                "mean_ms": round(cost["mean_ms"], 2),
                "worst_ms": round(cost["worst_ms"], 1),
                "over_4_ms": f"{cost['over_4']} of {cost['count']}",
                "frames_a_second": round(cost["count"] / seconds, 1),
            })
            page.close()
        browser.close()
    return found


def event(process: "subprocess.Popen[str]", kind: str) -> dict[str, Any]:
    """Return the next event of a kind that a performance prints."""
    assert process.stdout is not None
    for line in process.stdout:
        found: dict[str, Any] = json.loads(line)
        if found["event"] == kind:
            return found
    raise SystemExit("audiobend live has ended")


def look(process: "subprocess.Popen[str]", url: str, pages: int, seconds: float) -> dict[str, Any]:
    """Open so many pages for a while; return what the sound was like meanwhile."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    visitor = context.Process(target=visit, args=(url, pages, seconds + 4, theirs), daemon=True)
    visitor.start()
    ours.recv()    # all are open
    until, loads = monotonic() + seconds, list[float]()
    first = last = event(process, "status")
    while monotonic() < until:
        last = event(process, "status")
        loads.append(last["load"])
    seen = ours.recv()
    visitor.join()
    lost = {name: last[name] - first[name] for name in ("late_blocks", "xruns", "skipped_seconds")}
    return {"pages": pages, "loads": loads, "peak_load": last["peak_load"], **lost, "frames": seen}


def visit(url: str, pages: int, seconds: float, pipe: Any) -> None:
    """Be the pages."""
    asyncio.run(_visit(url, pages, seconds, pipe))


async def _visit(url: str, pages: int, seconds: float, pipe: Any) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(f"{url}ws", max_msg_size=0) for _ in range(pages)]
        pipe.send("open")
        frames = await asyncio.gather(*(_look_and_play(one, seconds) for one in sockets))
        if not sockets:
            await asyncio.sleep(seconds)
        pipe.send(sum(frames) / seconds / pages if pages else 0.0)


async def _look_and_play(socket: aiohttp.ClientWebSocketResponse, seconds: float) -> int:
    hello = json.loads((await socket.receive()).data)["hello"]
    maps = [f"{one['name']}/{it['id']}" for one in hello["model"]["layers"] for it in one["clusters"]]
    await socket.send_str(json.dumps({"see": {"spectra": True, "bands": 128, "maps": maps}}))
    until, frames = monotonic() + seconds, 0

    async def play() -> None:
        number = 0
        while monotonic() < until:
            number += 1
            await socket.send_str(json.dumps({"n": number, "do": [["/audiobend/gain", 6 * (number % 60) / 60]]}))
            await asyncio.sleep(1 / 30)

    playing = asyncio.ensure_future(play())
    while monotonic() < until:
        message = await socket.receive(5)
        frames += message.type == aiohttp.WSMsgType.BINARY and message.data[0] == 1
    await playing
    return frames


def summary(pages: int, looks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one row of the table."""
    loads = [load for one in looks for load in one["loads"]]
    return {
        "pages": pages,
        "load": round(median(loads), 4),
        "peak_load": round(max(one["peak_load"] for one in looks), 3),
        "late_blocks": sum(one["late_blocks"] for one in looks),
        "skipped_seconds": round(sum(one["skipped_seconds"] for one in looks), 3),
        "frames_a_second": round(sum(one["frames"] for one in looks) / len(looks), 1),
    }


def table(found: list[dict[str, Any]]) -> str:
    """Return rows as they stand in ``docs/benchmarks.md``."""
    names = list(found[0])
    lines = [f"| {' | '.join(one.replace('_', ' ') for one in names)} |", "|" + "---|" * len(names)]
    return "\n".join(lines + [f"| {' | '.join(str(one[name]) for name in names)} |" for one in found])


def is_kept(found: list[dict[str, Any]]) -> bool:
    """Return whether the page is not heard."""
    none, *some = found
    late = all(one["late_blocks"] <= none["late_blocks"] for one in some)
    return late and all(one["load"] - none["load"] < GROWTH for one in some)


if __name__ == "__main__":
    main()
