"""A catalog lists every bend truly, goes on where it stopped, and its eight are unlike one another."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

import audiobend as ab
from audiobend.bending import TRANSFORMS, Cluster, Clusters
from audiobend.clustering.catalog.crew import make
from audiobend.clustering.catalog.diversity import most_different, spread
from audiobend.clustering.catalog.entries import list_entries
from audiobend.clustering.catalog.ladder import DEFAULT_TRANSFORMS, check_transforms, rung, strengths
from audiobend.clustering.catalog.making import make_catalog
from audiobend.clustering.catalog.measuring import Ruler
from audiobend.clustering.catalog.store import Store
from audiobend.clustering.catalog.subject import Subject, read_subject
from audiobend.clustering.catalog.workshop import Workshop
from audiobend.errors import AudioError, PatchError
from audiobend.io.patchfile import load_patch, parse_patch

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"> {{DATA}} \u2028 & 'quoted'"


@pytest.fixture(scope="module")
def small(tiny_model):
    """The small model with clusters in two layers, one of them with a label that wants to be a script."""
    labels = {1: torch.arange(32) % 2, 4: torch.arange(4) % 2}
    names = {1: {0: HOSTILE, 1: "=1+1"}, 4: {0: "low band"}}
    return replace(tiny_model, clusters=Clusters.from_labels(labels, names, tiny_model.fingerprint))


@pytest.fixture(scope="module")
def subject(music):
    return Subject("a <b>track</b>.wav", music[:, :44100], 1.5, 1.0)


@pytest.fixture(scope="module")
def workshop(small, subject):
    return Workshop(small, subject)


def catalog(small, subject, folder, transforms=("ablate", "dilate"), **options):
    return make_catalog(small, subject, folder, transforms=transforms, **options)


@pytest.fixture(scope="module")
def made(small, subject, tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogs") / "made"
    return catalog(small, subject, folder), folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- strengths and entries ---


@pytest.mark.parametrize("transform", list(TRANSFORMS))
@pytest.mark.parametrize("n", [1, 2, 5])
def test_every_line_is_the_bend_that_was_rendered(small, transform, n):
    entries = list_entries(small, [transform], n)
    assert len(entries) == 4 * n
    for entry in entries:
        patch = parse_patch(f"transforms:\n{entry.line}\n")
        assert patch.bends == ab.Patch(bends=(entry.bend,)).bends
        assert small.resolve(patch).features_of(entry.id) == entry.features
        assert "\n" not in entry.line
        assert re.fullmatch(r"[a-z0-9-]+", entry.id)


@pytest.mark.parametrize("transform", list(TRANSFORMS))
def test_stronger_bends_change_more_maps_and_the_strongest_is_whole(transform):
    rungs = [rung(transform, strength) for strength in strengths(2)]
    assert rungs[0] != rungs[1]
    assert rungs[1][1] == 1


def test_there_are_six_transforms_that_exist_and_differ():
    assert len(DEFAULT_TRANSFORMS) == len(set(DEFAULT_TRANSFORMS)) == 6
    assert check_transforms([*DEFAULT_TRANSFORMS, "ablate"]) == DEFAULT_TRANSFORMS
    with pytest.raises(PatchError, match="unknown transform 'erodd'; did you mean 'erode'"):
        check_transforms(["erodd"])
    with pytest.raises(PatchError, match=r"strengths must be in 1\.\.8, got 9"):
        strengths(9)


def test_a_model_without_clusters_is_told_how_to_get_some(small):
    with pytest.raises(PatchError, match="has no clusters; make some with: audiobend cluster"):
        list_entries(replace(small, clusters=None), ["ablate"], 2)


# --- sound, distance, diversity ---


@pytest.mark.slow
def test_an_entry_sounds_as_render_renders_its_line(small, subject, workshop):
    for entry in list_entries(small, ["scalar-multiply", "erode"], 1):
        patch = parse_patch(f"transforms:\n{entry.line}\n")
        expected = ab.render(subject.samples, 44100, model=small, patch=patch, settings=ab.Settings(quality="fast"))
        made = workshop.make(entry).waveform
        assert made.shape == expected.shape
        torch.testing.assert_close(made, expected, rtol=1e-3, atol=1e-4)


def test_distance_is_zero_for_itself_and_the_gain_for_a_gain(music):
    ruler = Ruler(music)
    assert ruler.distance_db(music) == 0
    hiss = 0.3 * torch.randn(1, 50_000, generator=torch.Generator().manual_seed(0))
    assert Ruler(hiss).distance_db(hiss * 10 ** (6 / 20)) == pytest.approx(6, abs=0.05)
    softer, softest = ruler.distance_db(0.5 * music), ruler.distance_db(0.1 * music)
    assert 0 < softer < softest


def test_two_gains_of_one_bend_are_nearer_than_two_bends(music):
    ruler = Ruler(music)
    spectrum = torch.fft.rfft(music)
    dark, bright = spectrum.clone(), spectrum.clone()
    dark[..., spectrum.shape[-1] // 12 :] *= 0.2
    bright[..., : spectrum.shape[-1] // 12] *= 0.2
    sounds = [music / 2, music * 2, torch.fft.irfft(dark), torch.fft.irfft(bright)]
    grids = [ruler.measure(one).grid.astype(float) for one in sounds]
    assert np.linalg.norm(grids[0] - grids[1]) < 0.7 * np.linalg.norm(grids[2] - grids[3])


def test_the_chosen_are_unlike_one_another_not_strong_and_alike():
    random = np.random.default_rng(0)
    strong = 100 + random.normal(size=(30, 50))    # all the same strong thing
    directions = 20 * np.eye(50)[:7]    # weaker, each its own way
    points = np.concatenate([strong, directions])
    chosen = most_different(list(points), 8)
    assert sorted(chosen)[1:] == list(range(30, 37))    # every direction, and one of the strong ones
    strongest = np.argsort(-np.linalg.norm(points, axis=1))[:8].tolist()
    assert spread(list(points), chosen) > 3 * spread(list(points), strongest)


def test_exchanges_never_lose_and_mostly_gain_on_random_choices():
    random = np.random.default_rng(1)
    for _ in range(20):
        points = list(random.normal(size=(60, 6)))
        chosen = most_different(points, 8)
        assert len(set(chosen)) == 8
        draws = [spread(points, random.choice(60, 8, replace=False).tolist()) for _ in range(50)]
        assert spread(points, chosen) > max(draws)


def test_few_bends_are_all_chosen():
    assert most_different([np.zeros(3)] * 3, 8) == [0, 1, 2]
    assert most_different([], 8) == []
    assert len(set(most_different([np.zeros(3)] * 20, 8))) == 8


# --- the passage ---


def test_the_loudest_passage_is_taken_or_the_one_asked_for(tmp_path):
    rate = 22050
    samples = 0.01 * np.sin(np.arange(20 * rate) / 20)
    samples[12 * rate : 14 * rate] *= 50
    sf.write(tmp_path / "s.wav", samples, rate)
    found = read_subject(tmp_path / "s.wav", 2.0)
    assert found.start == pytest.approx(12, abs=0.3)
    assert found.samples.shape == (1, 88200)
    assert read_subject(tmp_path / "s.wav", 2.0, start=1.0).start == 1
    assert read_subject(tmp_path / "s.wav", 30.0).seconds == 20
    assert read_subject(tmp_path / "s.wav", 3.0, start=19.0).seconds == 1


@pytest.mark.parametrize(
    ("samples", "options", "sentence"),
    [
        (np.zeros(44100), {}, "is silent; there is nothing to bend"),
        (np.ones(100), {}, "needs 0.25 s of sound at least"),
        (np.ones(44100), {"start": 5.0}, "start must lie in the file"),
        (np.ones(44100), {"seconds": 99.0}, r"seconds must be in 0.25..30"),
    ],
)
def test_what_cannot_be_bent_is_one_sentence(tmp_path, samples, options, sentence):
    sf.write(tmp_path / "s.wav", samples, 44100)
    with pytest.raises(AudioError, match=sentence):
        read_subject(tmp_path / "s.wav", **{"seconds": 2.0, **options})


# --- the catalog ---


@pytest.mark.slow
def test_everything_is_listed_measured_and_ranked(made):
    result, folder = made
    document = json.loads((folder / "catalog.json").read_text())
    assert document == result.document
    assert len(document["entries"]) == 4 * 2 * 2 == result.rendered
    changes = [entry["change_db"] for entry in document["entries"]]
    assert changes == sorted(changes, reverse=True)
    for entry in document["entries"]:
        samples, rate = sf.read(folder / entry["sound"])
        assert rate == 44100 and abs(len(samples) - 44100) < 3000
        assert parse_patch(f"transforms:\n{entry['patch']}\n").bends[0].id == entry["id"]
    with (folder / "catalog.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [entry["id"] for entry in document["entries"]]
    assert {row["label"] for row in rows} == {HOSTILE, "'=1+1", "low band", "cluster 1"}    # no formula
    assert {path.name for path in (folder / "sounds").iterdir()} >= {"input.mp3", "unbent.mp3"}


@pytest.mark.slow
def test_the_eight_are_a_patch_that_fits_and_plays(made, small, subject):
    result, folder = made
    patch = load_patch(folder / "most_different.yaml")
    assert [bend.id for bend in patch.bends] == result.document["most_different"]
    assert len(patch.bends) <= 8
    assert [bend.on for bend in patch.bends] == [True] + [False] * (len(patch.bends) - 1)
    assert small.resolve(patch)
    assert all(isinstance(bend.features, Cluster) for bend in patch.bends)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files(small, subject, made, tmp_path):
    catalog(small, subject, tmp_path / "again")
    first, second = contents(made[1]), contents(tmp_path / "again")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.slow
def test_processes_side_by_side_make_the_same_catalog(small, subject, made, tmp_path):
    catalog(small, subject, tmp_path / "two", jobs=2)
    first, second = contents(made[1]), contents(tmp_path / "two")
    assert [name for name in first if first[name] != second.get(name)] == []


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on(small, subject, tmp_path):
    folder = tmp_path / "c"
    shares = []

    def stop(share):
        shares.append(share)
        if len(shares) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalog(small, subject, folder, on_progress=stop)
    assert not (folder / "index.html").exists()
    result = catalog(small, subject, folder)
    assert (result.kept, result.rendered) == (5, 11)
    again = catalog(small, subject, folder)
    assert (again.kept, again.rendered) == (16, 0)
    assert again.document == result.document


@pytest.mark.slow
def test_a_changed_sound_or_seed_or_cluster_starts_over_and_new_transforms_add(small, subject, tmp_path):
    folder = tmp_path / "c"
    catalog(small, subject, folder, ("ablate",))
    more = catalog(small, subject, folder, ("ablate", "negate"))
    assert (more.kept, more.rendered) == (8, 8)
    other = replace(subject, samples=subject.samples * 0.5)
    assert catalog(small, other, folder, ("ablate",)).kept == 0
    assert not (folder / "sounds" / "1-0-negate-1.mp3").exists()    # swept with the list that named it
    assert catalog(small, other, folder, ("ablate",), seed=1).kept == 0
    labels = {1: (torch.arange(32) + 1) % 2, 4: torch.arange(4) % 2}
    moved = replace(small, clusters=Clusters.from_labels(labels))
    assert catalog(moved, other, folder, ("ablate",), seed=1).kept == 4    # layer 4's clusters are the same


@pytest.mark.slow
def test_new_labels_need_no_new_sound(small, subject, tmp_path):
    catalog(small, subject, tmp_path / "c", ("ablate",))
    labels = {layer: one.labels for layer, one in small.clusters.layers.items()}
    renamed = replace(small, clusters=Clusters.from_labels(labels, {1: {0: "thunder"}}))
    result = catalog(renamed, subject, tmp_path / "c", ("ablate",))
    assert result.rendered == 0
    assert "thunder" in (tmp_path / "c" / "index.html").read_text()


@pytest.mark.slow
def test_damaged_parts_and_lost_sounds_are_made_again(small, subject, tmp_path):
    folder = tmp_path / "c"
    catalog(small, subject, folder, ("ablate",))
    parts = sorted((folder / ".parts").iterdir())
    parts[0].write_text("{")
    parts[1].write_text('{"key": 1}')
    (folder / "sounds" / f"{parts[2].stem}.mp3").unlink()
    assert catalog(small, subject, folder, ("ablate",)).rendered == 3


@pytest.mark.slow
def test_a_page_with_one_failing_entry_still_stands(small, subject, tmp_path, monkeypatch):
    whole = Workshop.make

    def fragile(self, entry):
        if entry.id == "4-1-ablate-2":
            raise RuntimeError("the moon was full")
        return whole(self, entry)

    monkeypatch.setattr(Workshop, "make", fragile)
    result = catalog(small, subject, tmp_path / "c", ("ablate",))
    assert list(result.failed) == ["4-1-ablate-2"]
    last = result.document["entries"][-1]
    assert last["id"] == "4-1-ablate-2" and "the moon was full" in last["error"] and last["sound"] is None
    assert "the moon was full" in (tmp_path / "c" / "index.html").read_text()
    monkeypatch.undo()
    again = catalog(small, subject, tmp_path / "c", ("ablate",))
    assert (again.rendered, again.failed) == (1, {})


def test_no_page_where_nothing_could_be_rendered(small, subject, tmp_path, monkeypatch):
    def broken(self, entry):
        raise ValueError("nothing works")

    monkeypatch.setattr(Workshop, "make", broken)
    with pytest.raises(AudioError, match=r"none of the 8 bends could be rendered.*nothing works"):
        catalog(small, subject, tmp_path / "c", ("ablate",))
    assert not (tmp_path / "c" / "index.html").exists()


@pytest.mark.slow
def test_a_full_disk_ends_the_run_and_is_no_entrys_fault(small, workshop, tmp_path, monkeypatch):
    entry = list_entries(small, ["ablate"], 1)[0]
    (tmp_path / "sounds").mkdir()

    def full(*_words, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sf, "write", full)
    with pytest.raises(AudioError, match="the disk is full"):
        make(workshop, Store(tmp_path), (entry, "key"))
    assert list((tmp_path / "sounds").iterdir()) == []


def test_a_folder_of_somebody_else_is_left_alone(small, subject, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(AudioError, match="holds something else than a catalog"):
        catalog(small, subject, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(AudioError, match="is a file, not a folder"):
        catalog(small, subject, tmp_path / "thesis.txt")


def test_two_at_once_in_one_folder_are_refused(small, subject, tmp_path):
    store = Store(tmp_path / "c")
    with store.opened(), pytest.raises(AudioError, match="another catalog is just being made here"):
        catalog(small, subject, tmp_path / "c")


@pytest.mark.slow
def test_what_comes_from_files_cannot_leave_the_pages_data(made):
    page = (made[1] / "index.html").read_text()
    assert HOSTILE not in page
    assert "<img" not in page and "<b>track" not in page
    assert page.count("</script>") == 2    # the data's and the script's own
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    document = json.loads(data[1])
    assert HOSTILE in {entry["label"] for entry in document["entries"]}
    assert document["sound"]["name"] == "a <b>track</b>.wav"
    assert "{{" not in page.replace(data[0], "")
