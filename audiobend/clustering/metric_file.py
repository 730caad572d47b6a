"""The trained networks of a model's layers in one safetensors file, so that one sound can be clustered in a moment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from audiobend.clustering.maps import Grey
from audiobend.clustering.metric import Trained
from audiobend.clustering.metric_network import MetricNetwork, laid_out
from audiobend.errors import ClusteringError
from audiobend.io.files import check_readable, write_atomically
from audiobend.networks.bendable import LayerName

KIND = "audiobend-metric-networks 1"


def save_networks(networks: Mapping[LayerName, Trained], path: Path, fingerprint: str) -> None:
    """Write the networks, whole or not at all, with the fingerprint of the model that they are for."""
    tensors: dict[str, Tensor] = {}
    layers: list[dict[str, Any]] = []
    for index, (layer, trained) in enumerate(networks.items()):
        grey, network = trained.grey, trained.network
        shape = {"shape": network.shape, "depth": network.depth, "steps": trained.steps}
        layers.append({"layer": layer, **shape, "low": grey.low, "high": grey.high})
        tensors |= {f"{index}.{name}": value.contiguous() for name, value in network.state_dict().items()}
    facts = json.dumps({"kind": KIND, "fingerprint": fingerprint, "layers": layers})
    with write_atomically(path, error=ClusteringError) as temporary:
        temporary.write_bytes(save(tensors, {"audiobend": facts}))    # one entry: several would come in any order


def load_networks(path: Path, fingerprint: str) -> dict[LayerName, Trained]:
    """Read what `save_networks` wrote; `ClusteringError` if it is for another model."""
    check_readable(path, ClusteringError)
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {}).get("audiobend", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}    # noqa: SIM118
        if facts.get("kind") != KIND:
            raise ClusteringError(f"{path}: holds no networks for clustering")
        if facts["fingerprint"] != fingerprint:
            raise ClusteringError(
                f"{path}: these networks are for the model {facts['fingerprint']}, not for {fingerprint}; "
                "train this model's with: audiobend cluster MODEL FOLDER"
            )
        return {
            one["layer"]: _trained(one, _under(tensors, f"{index}.")) for index, one in enumerate(facts["layers"])
        }
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ClusteringError(f"{path}: cannot be read as networks for clustering: {error}") from None


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _trained(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Trained:
    n_features, height, width = facts["shape"]
    with torch.device("meta"):    # no memory for what a damaged file claims
        network = MetricNetwork(n_features, height, width, facts["depth"])
    network.load_state_dict(tensors, assign=True)
    grey = Grey(float(facts["low"]), float(facts["high"]))
    return Trained(laid_out(network).eval().requires_grad_(False), grey, int(facts["steps"]))
