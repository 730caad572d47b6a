"""`audiobend catalog` as one types it, and its page as a browser shows it."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import soundfile as sf
import torch

from audiobend.bending import Clusters
from audiobend.io.clusterfile import save_clusters
from audiobend.io.patchfile import parse_patch
from tests.conftest import EXAMPLES
from tests.parts import chromium

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
AUDIOBEND = (sys.executable, "-c", "from audiobend.cli import main; main()")
WORDS = ("--transforms", "scalar-multiply,negate", "--seconds", 1, "--jobs", 1)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "a <b>song.wav"
    samples, rate = sf.read(EXAMPLES / "sounds" / "next_to_you.flac", frames=2 * 44100)
    sf.write(path, samples, rate)
    return path


@pytest.fixture(scope="module")
def clusters(tmp_path_factory):
    """Clusters of two layers of the shipped model, one label hostile."""
    path = tmp_path_factory.mktemp("clusters") / "two.yaml"
    labels = {1: torch.arange(128) % 2, 4: torch.arange(16) % 2}
    save_clusters(Clusters.from_labels(labels, {1: {0: HOSTILE, 1: "low band"}, 4: {0: "air"}}), path)
    return path


@pytest.fixture(scope="module")
def made(sound, clusters, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "catalog"
    words = ["catalog", "corpus-quarter", sound, "--clusters", clusters, "--out", folder, *WORDS, "--json"]
    done = subprocess.run([*AUDIOBEND, *map(str, words)], capture_output=True, text=True, check=True)
    return folder, json.loads(done.stdout)


def test_one_document_says_what_was_made(made):
    folder, document = made
    assert document["page"] == str(folder / "index.html")
    assert (document["entries"], document["rendered"], document["kept"]) == (16, 16, 0)
    assert document["failed"] == {}
    assert len(document["most_different"]) == 8
    names = {path.name for path in folder.iterdir()}
    assert names >= {"index.html", "catalog.json", "catalog.csv", "most_different.yaml", "sounds"}


def test_again_it_takes_no_work_and_one_line_says_so(audiobend, made, sound, clusters, tmp_path):
    folder = shutil.copytree(made[0], tmp_path / "copy")
    words = ("catalog", "corpus-quarter", sound, "--clusters", clusters, "--out", folder, *WORDS)
    status, out, error = audiobend(*words)
    assert (status, error) == (0, "")
    assert out.count("\n") == 1
    assert "16 bends of a <b>song.wav, 16 kept from before" in out
    assert audiobend(*words, "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nomodel", "{sound}"], "nomodel: there is no such model"),
        (["corpus-quarter", "nowhere.wav"], "nowhere.wav: cannot be read: there is no such file"),
        (["corpus-quarter", "{clusters}"], "is not a sound file"),
        (["corpus-quarter", "{sound}", "--transforms", "erodd"], "unknown transform 'erodd'; did you mean 'erode'?"),
        (["corpus-quarter", "{sound}", "--strengths", "0"], "--strengths"),
        (["corpus-quarter", "{sound}", "--seconds", "99"], "--seconds"),
        (["corpus-quarter", "{sound}", "--start", "99"], "start must lie in the file"),
        (["corpus-quarter", "{sound}", "--clusters", "nowhere.yaml"], "nowhere.yaml"),
        (["corpus-quarter", "{sound}", "--out", "{sound}"], "is a file, not a folder"),
        (["corpus-quarter", "{sound}", "--out", "{parent}"], "holds something else than a catalog"),
    ],
)
def test_wrong_commands_are_one_sentence_and_write_nothing(audiobend, sound, clusters, tmp_path, words, sentence):
    given = [word.format(sound=sound, clusters=clusters, parent=sound.parent) for word in words]
    before = sorted(sound.parent.iterdir())
    status, out, error = audiobend("catalog", *given)
    assert (status, out) == (2, "")
    assert sentence in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert sorted(sound.parent.iterdir()) == before


def test_silence_is_one_sentence(audiobend, tmp_path):
    sf.write(tmp_path / "silent.wav", torch.zeros(44100).numpy(), 44100)
    status, out, error = audiobend("catalog", "corpus-quarter", "silent.wav")
    assert (status, out) == (2, "")
    assert error == "audiobend: silent.wav: is silent; there is nothing to bend\n"
    assert not (tmp_path / "catalog").exists()


def test_ctrl_c_leaves_no_process_and_no_page_and_the_next_run_goes_on(sound, clusters, tmp_path):
    folder = tmp_path / "c"
    words = [*AUDIOBEND, "catalog", "corpus-quarter", sound, "--clusters", clusters]
    words += ["--out", folder, "--seconds", 0.5, "--strengths", 3]
    running = subprocess.Popen([*map(str, words), "--jobs", "2"], stderr=subprocess.PIPE, text=True)
    while not any(folder.glob("sounds/*-*-*.mp3")):
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.05)
    workers = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=120)
    assert (running.returncode, error) == (130, "audiobend: stopped\n")
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
    assert not (folder / "index.html").exists()
    done = [path.stem for path in folder.glob(".parts/*.json")]
    assert done
    transform = done[0].split("-", 2)[2].rpartition("-")[0]    # one that got so far
    words += ["--transforms", transform, "--jobs", 1, "--json"]
    result = subprocess.run([*map(str, words)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["kept"] > 0
    assert (folder / "index.html").exists()


# --- the page ---


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=flags)
        yield running
        running.close()


@pytest.fixture
def page(browser, made):
    """The page, opened from disk; no error, and no request but for its own sounds."""
    troubles: list[str] = []
    opened = browser.new_page(viewport={"width": 1440, "height": 1000})
    opened.on("console", lambda message: troubles.append(message.text))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("request", lambda one: None if one.url.startswith(("file:", "data:")) else troubles.append(one.url))
    opened.goto((made[0] / "index.html").as_uri())
    opened.wait_for_selector(".card")
    yield opened
    opened.close()
    assert troubles == []


def wait_for(page, expression: str) -> None:
    """Poll: the browser's own waiting evaluates text inside of the page, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {expression}")


def shown(page) -> list[str]:
    return page.eval_on_selector_all(".card", "cards => cards.map(card => card.dataset.id)")


def entries(made) -> list[dict]:
    return json.loads((made[0] / "catalog.json").read_text())["entries"]


def test_every_bend_has_a_player_and_a_picture(page, made):
    assert shown(page) == [entry["id"] for entry in entries(made)]
    sources = page.eval_on_selector_all(".card audio", "all => all.map(one => one.getAttribute('src'))")
    assert sources == [entry["sound"] for entry in entries(made)]
    wait_for(page, "document.querySelectorAll('.ref canvas[data-painted]').length === 2")
    page.locator(".card canvas").first.scroll_into_view_if_needed()
    wait_for(page, "document.querySelector('.card canvas').dataset.painted")
    colours = page.evaluate("""() => { const c = document.querySelector('.card canvas');
        return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size }""")
    assert colours > 20


def test_a_player_plays_and_gives_way_to_the_unbent_sound_at_the_same_moment(page):
    page.locator(".card .sign").first.click()
    wait_for(page, "document.querySelector('.card audio').currentTime > 0.05")
    assert page.locator(".card.on").count() == 1
    page.keyboard.press("u")
    wait_for(page, "!document.querySelectorAll('.ref audio')[1].paused")
    assert page.evaluate("document.querySelector('.card audio').paused")
    page.locator(".card .sign").nth(1).click()    # another takes its place
    wait_for(page, "!document.querySelectorAll('.card audio')[1].paused")
    playing = page.eval_on_selector_all("audio", "all => all.filter(one => !one.paused).length")
    assert playing == 1
    page.keyboard.press("Escape")
    assert page.locator(".on").count() == 0


@pytest.mark.parametrize(
    ("order", "key"),
    [("change", lambda e: e["change_db"]), ("centroid", lambda e: e["changes"]["centroid_octaves"]),
     ("air", lambda e: e["changes"]["air_db"]), ("onset", lambda e: e["changes"]["onset_percent"])],
)
def test_sorting_puts_them_in_the_order_of_the_figures(page, made, order, key):
    page.select_option("#sort", order)
    values = {entry["id"]: key(entry) for entry in entries(made)}
    assert [values[id] for id in shown(page)] == sorted(values.values(), reverse=True)
    page.click("#direction")
    assert [values[id] for id in shown(page)] == sorted(values.values())


def test_filters_leave_exactly_what_was_asked_for(page, made):
    every = entries(made)
    page.click("#transforms >> text=negate")
    assert set(shown(page)) == {one["id"] for one in every if one["transform"] == "negate"}
    page.click("#map .cell >> nth=2")    # layer 4, cluster 0
    page.click("#strengths >> text=strong")
    assert shown(page) == ["4-0-negate-2"]
    assert page.inner_text("#count") == "1 of 16"
    page.click("#clear")
    assert len(shown(page)) == 16
    page.fill("#search", "AIR negate")
    assert set(shown(page)) == {one["id"] for one in every if one["label"] == "air" and one["transform"] == "negate"}
    page.fill("#search", "no such thing")
    assert shown(page) == [] and page.is_visible("#none")


def test_the_most_different_are_shown_with_their_patch(page, made):
    page.click("#different")
    assert shown(page) == made[1]["most_different"]
    assert page.is_visible("#offer-copy")
    page.click("#different")
    assert len(shown(page)) == 16


def test_what_is_kept_becomes_a_patch(page, made):
    page.locator(".card .keep").nth(0).click()
    page.locator(".card .keep").nth(3).click()
    assert page.inner_text("#kept") == "2 kept"
    with page.expect_download() as download:
        page.click("#kept-save")
    patch = parse_patch(Path(download.value.path()).read_text())
    kept = [shown(page)[0], shown(page)[3]]
    assert sorted(bend.id for bend in patch.bends) == sorted(kept)
    page.click("#kept-clear")
    assert not page.is_visible("#tray")


def test_a_hostile_label_is_text_and_nothing_else(page):
    assert page.title() == "a <b>song.wav: catalog of bends"
    assert page.locator("img").count() == 0
    assert page.locator("#about b b").count() == 0
    assert page.locator("#map .cell .lab").first.inner_text() == HOSTILE
    assert HOSTILE in page.locator(".card .label").all_inner_texts()


def test_both_themes_and_a_phone_fit(page):
    for theme, background in (("light", "rgb(223, 226, 225)"), ("dark", "rgb(14, 16, 18)")):
        page.goto(page.url.split("?")[0] + f"?theme={theme}")
        page.wait_for_selector(".card")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    low = "all => all.filter(one => one.offsetParent && one.offsetHeight < 44).map(one => one.id)"
    small = page.eval_on_selector_all("button, select, input", low)
    assert small == []
