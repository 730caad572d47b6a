"""A bundle that was just trained gets quick clusters of its own."""

import shutil

from audiobend.clustering.activation import add_clusters
from audiobend.io.modelbundle import load_model
from tests.conftest import EXAMPLES


def test_new_clusters_replace_those_of_older_weights(tiny_bundle, tmp_path):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "m")
    stale = (bundle / "clusters.yaml").read_text().replace("fingerprint: ", "fingerprint: ffff")
    (bundle / "clusters.yaml").write_text(stale)
    add_clusters(bundle, [EXAMPLES / "sounds" / "harvest_food.flac"])
    model = load_model(bundle)
    assert model.clusters.fingerprint == model.fingerprint
    assert list(model.clusters.layers) == [1, 2, 3, 4]
    names = model.clusters.of_layer(1).names
    assert len(set(names.values())) == len(names)
