"""Other clusters than the model's own: the desk, the engine, the page and a take mean the same features by them."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
import torch

from audiobend.bending import Cluster, Clusters, Indices, Patch
from audiobend.control import Set
from audiobend.errors import AudiobendError
from audiobend.io.clusterfile import save_clusters
from audiobend.io.modelbundle import load_model, weights_fingerprint
from audiobend.io.takefile import Began, Take, TakeHead, head_text
from audiobend.io.takereading import load_take
from audiobend.live.audio import Clock
from audiobend.live.dsp import Wanted
from audiobend.live.performance import Performance
from audiobend.live.player import EnginePlayer
from audiobend.live.replay import bend_file, replay_file
from audiobend.live.setup import Setup
from audiobend.osc.listing import lines
from audiobend.page.facts import model_facts
from audiobend.page.work import Work, _render
from audiobend.spectral.live_settings import LiveSettings

FIFTH = Patch(seed=3).add(3, "scalar-multiply", {"factor": 5.0}, id="fog", features=Cluster((4,)))
"""Of five clusters, where the model's own are two."""


@pytest.fixture(scope="module")
def five(tiny_bundle, tmp_path_factory):
    labels = {3: torch.arange(load_model(tiny_bundle).network.layers()[-3].n_features) % 5}
    path = tmp_path_factory.mktemp("clusters") / "five.yaml"
    save_clusters(Clusters.from_labels(labels, {3: {4: "hiss"}}, weights_fingerprint(tiny_bundle)), path)
    return path


@pytest.fixture(scope="module")
def chosen(tiny_bundle, five):
    """The features of the fifth cluster, named one by one."""
    features = load_model(tiny_bundle, clusters=five).resolve(FIFTH).features_of("fog")
    return FIFTH.with_bend(replace(FIFTH.bend("fog"), features=Indices(tuple(features))))


@pytest.fixture
def performance(tiny_bundle, five):
    """One that is never started: its desk and what it asks of an engine are there."""
    model = load_model(tiny_bundle, clusters=five)
    wanted = Wanted(str(tiny_bundle), FIFTH, backend="torch", clusters=model.clusters_from)
    with Performance(Setup(wanted, LiveSettings(4, 4), Clock(44100)), model, lambda _: None) as performance:
        yield performance


def test_the_desk_its_lists_and_the_page_know_them(performance):
    context = performance.desk.context
    assert [line[2] for line in lines("list/clusters", "3", performance.desk.state, context)] == [
        *(f"cluster {n}" for n in range(4)), "hiss",
    ]
    (layer,) = (one for one in model_facts(context)["layers"] if one["name"] == "3")
    assert [one["label"] for one in layer["clusters"]][-1] == "hiss"
    assert performance.desk.apply([Set("fog/features", "cluster 3")]) == [None]
    assert isinstance(performance.desk.apply([Set("fog/features", "cluster 5")])[0], AudiobendError)


def test_the_engine_is_asked_for_the_same_and_means_the_same(performance, five, chosen, monkeypatch):
    asked = []
    monkeypatch.setattr(performance, "change", asked.append)
    performance.desk.apply([Set("fog/factor", 4.0)])
    assert asked[-1].clusters == str(five) == performance.clusters_of_model
    player = EnginePlayer(performance.setup.wanted, LiveSettings(4, 4))
    player.want(asked[-1])
    assert player._model.resolve(asked[-1].patch).features_of("fog") == chosen.bend("fog").features.indices


def test_a_rendering_a_take_and_the_pages_rendering_mean_the_same(tiny_bundle, five, chosen, music, tmp_path):
    sf.write(tmp_path / "in.wav", music[:1, :30_000].T.numpy(), 44100, subtype="FLOAT")
    settings, names = LiveSettings(8, 4), iter("abcdef")

    def heard(render):
        target = tmp_path / f"{next(names)}.wav"
        render(target)
        return sf.read(target, dtype="float32")[0]

    model = load_model(tiny_bundle, clusters=five)
    source = tmp_path / "in.wav"
    one, other = (
        heard(lambda out, patch=patch: bend_file(source, out, model, patch, settings, "torch"))
        for patch in (chosen, FIFTH)
    )
    assert np.array_equal(one, other)

    head = TakeHead(str(tiny_bundle), model.fingerprint, FIFTH, settings, 44100, 1, clusters=model.clusters_from)
    (tmp_path / "take.jsonl").write_text(head_text(head) + '{"event": "began", "sample": 0}\n')
    take = load_take(tmp_path / "take.jsonl")
    assert take == Take(head, (Began(0),))
    assert np.array_equal(heard(lambda out: replay_file(take, source, out)), one)

    def page(patch, clusters):
        work = Work(source, tmp_path, str(tiny_bundle), patch, clusters=clusters)
        return heard(lambda out: _render(replace(work, target=out), lambda share: None))

    assert np.array_equal(page(FIFTH, str(five)), page(chosen, None))


def test_a_take_of_before_has_the_models_own(tiny_bundle, tmp_path):
    head = TakeHead(str(tiny_bundle), "0" * 16, Patch(), LiveSettings(), 44100, 1)
    old = head_text(head).replace(', "clusters": null', "")
    assert "clusters" not in old
    (tmp_path / "take.jsonl").write_text(old)
    assert load_take(tmp_path / "take.jsonl").head.clusters is None


def test_a_name_is_kept_and_a_file_is_found_from_anywhere(tiny_bundle, five, monkeypatch):
    assert load_model("corpus-quarter", clusters="effect").clusters_from == "effect"
    assert load_model("corpus-quarter").clusters_from is None
    monkeypatch.chdir(five.parent)
    assert load_model(tiny_bundle, clusters="five.yaml").clusters_from == str(five)
