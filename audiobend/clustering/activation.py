"""Quick clusters for a bundle that was just trained; `audiobend cluster` finds better ones in a quarter of an hour."""

from collections.abc import Callable
from pathlib import Path

from audiobend.bending import Clusters
from audiobend.clustering.find import find_clusters
from audiobend.clustering.settings import Settings
from audiobend.clustering.sound_inputs import sounds_for, windows_of
from audiobend.io.clusterfile import save_clusters
from audiobend.io.modelbundle import load_model


def add_clusters(
    bundle: Path, folders: list[Path], seed: int = 0, report: Callable[[str], None] = lambda _: None
) -> Clusters:
    """Cluster a bundle's features by when they are active on real music, and write its ``clusters.yaml``."""
    (bundle / "clusters.yaml").unlink(missing_ok=True)    # those of older weights would be refused
    model = load_model(bundle)
    settings = Settings(method="coactivation", seed=seed)
    inputs, _ = windows_of(model, sounds_for(model, folders), settings.n_samples, seed)
    clusters = find_clusters(model.network, inputs, settings, fingerprint=model.fingerprint).clusters
    save_clusters(clusters, bundle / "clusters.yaml")
    report(f"wrote {bundle / 'clusters.yaml'}")
    return clusters
