"""Clusters of a model of sound: from a folder of music, or from one sound with networks that were trained before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiobend.clustering.describe import describe
from audiobend.clustering.find import Found, find_clusters
from audiobend.clustering.listening import Stage
from audiobend.clustering.metric import Trained
from audiobend.clustering.metric_file import load_networks
from audiobend.clustering.settings import Settings, chosen_layers, cluster_counts
from audiobend.clustering.sound_inputs import sounds_for, windows_of, windows_of_one
from audiobend.errors import ClusteringError
from audiobend.networks.bendable import LayerName
from audiobend.networks.model import Model

Networks = Mapping[LayerName, Trained]
NETWORKS = "clusters.safetensors"
"""Where a bundle keeps the networks of method metric."""


def clusters_of_folder(
    model: Model,
    paths: Sequence[Path],
    settings: Settings,
    networks: Networks | None = None,
    stage: Stage = lambda _: lambda _: None,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[Found, list[Path]]:
    """Return the clusters of a model's features, found on music, and the sounds that were heard.

    Parameters
    ----------
    model : Model
    paths : folders or files
        Sounds that the model's card keeps out of training are left out where there are others.
    settings : Settings
    networks : mapping from layer name to Trained, or None
        For method metric, instead of training.
    """
    cluster_counts(chosen_layers(model.network.layers(), settings), settings)    # before hours of sound are read
    sounds = sounds_for(model, paths, report)
    progress = stage(f"reading {len(sounds)} sounds")
    inputs, test = windows_of(model, sounds, settings.n_samples, settings.seed, report, progress)
    found = find_clusters(
        model.network, inputs, settings, test=test, networks=networks, fingerprint=model.fingerprint, stage=stage
    )
    return _with_facts(found, {"sounds": len(sounds)}), [sound.path for sound in sounds]


def clusters_of_one_sound(
    model: Model,
    path: Path,
    settings: Settings,
    networks: Networks | None = None,
    stage: Stage = lambda _: lambda _: None,
) -> Found:
    """Return the clusters that a model's features fall into while it hears one sound.

    Method metric takes ``networks`` that were trained before (one sound is not enough to train any).
    """
    found = find_clusters(
        model.network,
        windows_of_one(model, path),
        settings,
        networks=networks,
        fingerprint=model.fingerprint,
        stage=stage,
    )
    return _with_facts(found, {"sound": path.name})


def networks_of(model: Model, bundle: Path, path: Path | None = None) -> dict[LayerName, Trained]:
    """Return the networks that know a model's features, from its bundle or from another file."""
    path = path or bundle / NETWORKS
    if not path.exists():
        raise ClusteringError(
            f"{path}: {model.name} has no networks yet that know its features; train them first with: "
            f"audiobend cluster {model.source or model.name} FOLDER --out {path.with_suffix('.yaml')}"
        )
    return load_networks(path, model.fingerprint)


def with_meaning(model: Model, found: Found, sounds: Sequence[Path], seed: int, stage: Stage) -> Found:
    """Return the same clusters, named and described by what they do to sound."""
    progress = stage("listening to what clusters do")
    return found.described(describe(model, found.clusters, sounds, progress=progress, seed=seed))


def _with_facts(found: Found, facts: dict[str, Any]) -> Found:
    return replace(found, clusters=replace(found.clusters, made=facts | dict(found.clusters.made)))
