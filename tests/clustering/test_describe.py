"""What clusters do to sound is measured truly, and named so that one can tell them apart."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
import torch

import audiobend as ab
from audiobend.bending import Cluster, Clusters, Patch
from audiobend.clustering.describe import describe
from audiobend.clustering.descriptors import BANDS, NAMES, Profile, changes, floor_of, hear, profile
from audiobend.clustering.hearing import Ear, passage_of
from audiobend.clustering.labels import name_clusters
from audiobend.clustering.trunk import Trunk
from audiobend.errors import AudioError, PatchError
from audiobend.io.clusterfile import dump_clusters, parse_clusters
from audiobend.io.modelbundle import load_model
from audiobend.networks.backends import backend
from audiobend.spectral.stft import stft
from tests.conftest import EXAMPLES

SOUNDS = [EXAMPLES / "sounds" / f"{name}.flac" for name in ("next_to_you", "harvest_food")]


def of(bands, pace=1.1, signed=-1.0) -> Profile:
    """A profile whose change in attacks is ``pace`` times that in steady columns."""
    bands = np.asarray(bands, dtype=float)
    size = float(bands.mean())
    return Profile(bands, pace * size, size, size, signed * size)


def two_of(layer: int, model) -> Clusters:
    n = next(one.n_features for one in model.network.layers() if one.name == layer)
    labels = {layer: torch.arange(n) % 2}
    return Clusters.from_labels(labels, fingerprint=model.fingerprint, made={"method": "by hand"})


# --- descriptors ---


def measured(before: torch.Tensor, after: torch.Tensor) -> dict[str, float]:
    spectra = stft(before), stft(after)
    floor = floor_of(spectra[0])
    return changes(hear(spectra[0], floor), hear(spectra[1], floor), floor)


def filtered(waveform: torch.Tensor, low: float, high: float, gain_db: float) -> torch.Tensor:
    spectrum = torch.fft.rfft(waveform)
    hertz = torch.fft.rfftfreq(waveform.shape[-1], 1 / 44100)
    spectrum[..., (hertz >= low) & (hertz < high)] *= 10 ** (gain_db / 20)
    return torch.fft.irfft(spectrum, waveform.shape[-1])


@pytest.mark.parametrize(("band", "limits"), list(BANDS.items())[1:])
def test_a_louder_band_is_that_bands_change_and_no_others(band, limits):
    hiss = 0.1 * torch.randn(2, 100_000, generator=torch.Generator().manual_seed(0))
    found = measured(hiss, filtered(hiss, *limits, 6.0))
    assert found[f"{band}_db"] == pytest.approx(6, abs=0.7)    # a frame's window leaks over the limits
    others = [found[f"{name}_db"] for name in BANDS if name != band]
    assert np.abs(others).max() < 1.5
    assert np.median(np.abs(others)) < 0.1


def test_nothing_changed_is_nothing_heard(music):
    assert measured(music, music) == dict.fromkeys(NAMES, 0.0)


def test_level_leaves_timbre_and_width_alone(music):
    found = measured(music, 0.25 * music)
    assert found["level_db"] == pytest.approx(-12.04, abs=0.05)
    assert abs(found["centroid_octaves"]) < 0.02
    assert abs(found["flatness_db"]) < 0.3
    assert abs(found["onset_percent"]) < 2
    assert abs(found["width_db"]) < 0.05


def test_brightness_noise_and_width_move_the_way_they_are_called(music):
    assert measured(music, filtered(music, 4000, 22050, 12.0))["centroid_octaves"] > 0.25
    noise = 0.02 * torch.randn(music.shape, generator=torch.Generator().manual_seed(0))
    assert measured(music, music + noise)["flatness_db"] > 6
    mid, side = (music[:1] + music[1:]) / 2, (music[:1] - music[1:]) / 2
    assert measured(music, torch.cat([mid + 2 * side, mid - 2 * side]))["width_db"] == pytest.approx(6.02, abs=0.1)
    assert measured(mid, mid / 2)["width_db"] == 0.0


def test_softer_attacks_are_told_from_softer_steady_parts():
    time = torch.arange(3 * 44100)
    tone = 0.3 * torch.sin(time * 0.05)[None]
    clicks = torch.zeros_like(tone)
    for start in range(8000, len(time), 22050):
        clicks[:, start : start + 600] = torch.randn(600, generator=torch.Generator().manual_seed(start)) * 0.5
    found = measured(tone + clicks, tone + 0.2 * clicks)
    assert found["attacks_db"] < -2
    assert abs(found["steady_db"]) < 0.5
    assert found["onset_percent"] < -5
    db = [20 * stft(one).abs().clamp(min=1e-4).log10() for one in (tone + clicks, tone + 0.2 * clicks)]
    found = profile([db[0] - db[0].max()], [db[1] - db[0].max()])
    assert found.attacks > 3 * found.steady


def test_a_silenced_sound_gives_finite_figures(music):
    assert all(np.isfinite(value) for value in measured(music, 0 * music).values())
    assert all(np.isfinite(value) for value in measured(0 * music, music).values())


def test_a_profile_is_the_mean_change_of_the_bins_that_can_be_heard():
    before = torch.full((1, 513, 100), -20.0)
    before[:, 300:] = -100.0    # inaudible before and after
    after = before.clone()
    after[:, 100:300] += 7.0
    found = profile([before], [after])
    hertz = np.arange(513) * 44100 / 1024
    limit = BANDS["presence"]
    share = ((hertz >= limit[0]) & (hertz < limit[1]) & (np.arange(513) >= 100)).sum() / (
        (hertz >= limit[0]) & (hertz < limit[1])).sum()
    assert found.targets()["mid"] == 0
    assert found.targets()["presence"] == pytest.approx(7 * share, rel=1e-4)
    assert found.targets()["air"] == pytest.approx(7, rel=1e-4)
    assert found.all == pytest.approx(found.signed)
    assert found.all == pytest.approx(7 * 200 / 300, rel=1e-4)


# --- labels ---


def test_places_and_times_get_their_words():
    names = name_clusters({
        0: of([6, 5, 1, 1, 1, 1]),
        1: of([1, 1, 1, 1, 6, 6]),
        2: of([1, 1, 1, 1, 1, 1], pace=2.0),
        3: of([2, 2, 2, 2, 2, 2], pace=0.8),
        4: None,
    })
    assert names[0].startswith("low band")
    assert names[1].startswith("high band")
    assert names[2].startswith("transients")
    assert names[3].startswith("whole sound") and "sustained" in names[3]
    assert names[4] == "silent"


def test_what_changes_everything_alike_is_not_called_a_band():
    names = name_clusters({0: of([5, 5, 5, 5, 5, 5]), 1: of([2, 2, 2, 2, 2, 2.01])})
    assert all(name.startswith("whole sound") and "more" not in name for name in names.values())


def test_labels_of_a_layer_are_all_different_whatever_the_profiles():
    random = np.random.default_rng(0)
    for _ in range(300):
        n = int(random.integers(1, 12))
        profiles = {
            k: None if random.random() < 0.2 else of(random.lognormal(0, random.choice([0, 0.1, 1]), 6),
                                                     random.uniform(0.7, 1.8), random.uniform(-1, 1))
            for k in range(n)
        }
        names = name_clusters(profiles)
        assert list(names) == list(profiles)
        assert len({name.casefold() for name in names.values()}) == n
        assert not any(name.isdigit() for name in names.values())    # a patch would take it for an index


# --- trunk and ear ---


@pytest.mark.parametrize("layer", ["e2", "z", 1, 2, 3, 4])
@pytest.mark.parametrize("transform", ["ablate", "dilate", "rotate"])
def test_a_trunk_gives_what_the_network_gives(tiny_model, layer, transform):
    if layer == "z" and transform != "ablate":
        return
    x = torch.randn(3, 1, 128, 513, generator=torch.Generator().manual_seed(1))
    params = {"radius": 2} if transform == "dilate" else {"angle": 30} if transform == "rotate" else {}
    plan = tiny_model.resolve(Patch().add(layer, transform, params, features=Cluster((1,))))
    expected = backend("torch", tiny_model).reconstruct(x, plan)
    trunk = Trunk(tiny_model)
    trunk.reconstruct(x, tiny_model.resolve(Patch().add(2, "ablate")))    # another layer's maps must not stay
    for _ in range(2):
        for mine, theirs in zip(trunk.reconstruct(x, plan), expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_what_the_ear_hears_is_what_a_render_sounds_like():
    """Band levels of ablating a cluster, against a whole render measured by a plain FFT of its samples."""
    model = load_model()
    waveform, rate = ab.read_audio(SOUNDS[0])
    waveform = waveform[:, : 4 * rate]
    bends = [(1, "ablate", {}), (3, "scalar-multiply", {"factor": 2.0}), (4, "ablate", {})]
    ear = Ear(model, [passage_of(waveform, SOUNDS[0], 5)])
    unbent = ab.render(waveform, rate, model=model, settings=ab.Settings(quality="fast"))
    for layer, transform, params in bends:
        patch = Patch().add(layer, transform, params, features=Cluster((0,)))
        found = ear.changes(ear.decibels(model.resolve(patch)))
        bent = ab.render(waveform, rate, model=model, patch=patch.set("output/limiter", False),
                         settings=ab.Settings(quality="fast"))
        hertz = torch.fft.rfftfreq(bent.shape[-1], 1 / rate)
        power = [torch.fft.rfft(one.double()).abs().square().sum(0) for one in (bent, unbent)]
        for name, (low, high) in BANDS.items():
            inside = (hertz >= low) & (hertz < high)
            if power[1][inside].sum() < 1e-6 * power[1].sum():
                continue    # so quiet that only a change for the louder is heard
            true = 10 * float((power[0][inside].sum() / power[1][inside].sum()).log10())
            assert found[f"{name}_db"] == pytest.approx(true, abs=2.0), (layer, name)
        true = 10 * float((power[0].sum() / power[1].sum()).log10())
        assert found["level_db"] == pytest.approx(true, abs=1.5)


# --- describe ---


@pytest.fixture(scope="module")
def described():
    model = load_model()
    return model, describe(model, two_of(2, model), SOUNDS)


def test_clusters_stay_and_get_labels_and_facts_that_survive_a_file(described):
    model, found = described
    assert torch.equal(found.layers[2].labels, two_of(2, model).layers[2].labels)
    assert found.fingerprint == model.fingerprint
    assert found.made == {"method": "by hand"}
    names = found.layers[2].names
    assert set(names) == {0, 1} and len(set(names.values())) == 2
    for facts in found.layers[2].descriptors.values():
        assert set(facts["ablate"]) == set(facts["double"]) == set(NAMES)
        assert facts["features"] == 32 and not facts["silent"]
        assert facts["ablate"]["level_db"] < -0.5 < 0.5 < facts["double"]["level_db"]
    assert parse_clusters(dump_clusters(found)) == found


def test_same_seed_same_words(described):
    model, found = described
    assert describe(model, two_of(2, model), SOUNDS) == found


def test_a_dead_cluster_is_called_silent_and_flagged():
    shipped = load_model()
    network = copy.deepcopy(shipped.network)
    with torch.no_grad():
        network.decoder[2][0].weight[1::2] = 0    # nothing listens to the odd features of layer 2
    model = replace(shipped, network=network)
    progress = []
    found = describe(model, two_of(2, model), SOUNDS[:1], progress=progress.append)
    assert found.label(2, 1) == "silent"
    assert found.layers[2].descriptors[1]["silent"] is True
    assert found.label(2, 0) != "silent"
    assert found.layers[2].descriptors[0]["silent"] is False
    assert progress == sorted(progress) and progress[-1] == pytest.approx(1)


def test_a_cluster_without_features_is_silent_too(tiny_model):
    labels = torch.zeros(16, dtype=torch.long)
    labels[8:] = 2
    found = describe(tiny_model, Clusters.from_labels({2: labels}), SOUNDS[:1])
    assert found.label(2, 1).startswith("silent")
    assert found.layers[2].descriptors[1] == {"features": 0, "silent": True}


def test_no_sound_and_silence_are_clear_sentences(tiny_model, tmp_path):
    with pytest.raises(AudioError, match="no sound to listen to"):
        describe(tiny_model, two_of(1, tiny_model), [])
    sf.write(tmp_path / "silent.wav", np.zeros(44100), 44100)
    with pytest.raises(AudioError, match=r"silent\.wav: nothing can be heard"):
        describe(tiny_model, two_of(1, tiny_model), [tmp_path / "silent.wav"])
    with pytest.raises(AudioError, match="there is no such file"):
        describe(tiny_model, two_of(1, tiny_model), [tmp_path / "nowhere.wav"])


def test_clusters_of_another_network_are_refused(tiny_model):
    wrong = Clusters.from_labels({2: [0, 1, 0]})
    with pytest.raises(PatchError, match="feature"):
        describe(tiny_model, wrong, SOUNDS[:1])


def test_a_silent_file_among_others_is_passed_over(tiny_model, tmp_path):
    sf.write(tmp_path / "silent.wav", np.zeros(44100), 44100)
    assert describe(tiny_model, two_of(4, tiny_model), [tmp_path / "silent.wav", SOUNDS[0]]).label(4, 0)


def test_a_short_mono_sound_is_enough(tiny_model, tmp_path):
    sf.write(tmp_path / "blip.wav", np.sin(np.arange(9000) / 9), 44100)
    found = describe(tiny_model, two_of(4, tiny_model), [tmp_path / "blip.wav"])
    assert found.layers[4].descriptors[0]["ablate"]["width_db"] == 0
