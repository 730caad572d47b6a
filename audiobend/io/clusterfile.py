"""Cluster files: ours, network-bending's of 2020, and Zheng's label lists, told apart by themselves.

Network-bending's is ``{layer: [{cluster_index, feature_index}, ..]}``. Zheng's is a list of lists of labels,
in the order of the places in StyleGAN: the constant, the 4 px convolution, and then two for each resolution.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from audiobend.bending import Clusters, LayerClusters
from audiobend.bending.bend import Site
from audiobend.bending.features import LayerName
from audiobend.bending.values import layer_name, shown, told
from audiobend.errors import PatchError
from audiobend.io.fields import check_keys
from audiobend.io.files import PathLike
from audiobend.io.template import PLACES, RESOLUTIONS, layer_of
from audiobend.io.yamlfile import dump_document, named, parse_document, read_document, write_document

VERSION = 1
MAX_BYTES = 2**22
FORMATS = ("audiobend", "broad2020", "zheng2022")
SITES = tuple(layer_of(Site(resolution, place)) for resolution in RESOLUTIONS for place in PLACES)
"""The layers that Zheng's lists stand for, in their order: ``"const"``, 0, 1 .. 16."""

_TOP = ("audiobend-clusters", "fingerprint", "made", "layers")
_OF_LAYER = ("labels", "names", "descriptors")


def load_clusters(path: PathLike, *, fingerprint: str | None = None) -> Clusters:
    """Read a cluster file.

    Parameters
    ----------
    path : path
    fingerprint : str or None
        Of the model that the clusters are for; a file that names another one is refused.

    Raises
    ------
    PatchError
        With the file's name, the layer and what would be right.
    """
    document = read_document(path, error=PatchError, max_bytes=MAX_BYTES)
    clusters = named(path, lambda: parse_clusters(document), error=PatchError)
    if None not in (fingerprint, clusters.fingerprint) and clusters.fingerprint != fingerprint:
        raise PatchError(
            f"{path}: these clusters are for the model {clusters.fingerprint}, not for {fingerprint}; "
            "cluster this model's features, or take the file that came with it"
        )
    return clusters


def parse_clusters(document: Any) -> Clusters:
    """Return the clusters that a text, or the plain data of one, describes.

    >>> parse_clusters("{1: [{cluster_index: 1, feature_index: 0}]}").n_clusters(1)
    2
    """
    if isinstance(document, str):
        document = parse_document(document, error=PatchError, max_bytes=MAX_BYTES)
    if isinstance(document, list):
        return _zheng(document)
    if not isinstance(document, Mapping) or not document:
        raise PatchError("clusters must be a mapping from layers to features, or a list of lists of labels")
    if any(key in document for key in ("audiobend-clusters", "layers", "fingerprint")):
        return _ours(document)
    return Clusters(_each_layer(document, _broad))


def save_clusters(clusters: Clusters, path: PathLike, *, format: str = "audiobend") -> None:
    """Write a cluster file, whole or not at all, as ``"audiobend"``, ``"broad2020"`` or ``"zheng2022"``."""
    write_document(path, dump_clusters(clusters, format=format), error=PatchError)


def dump_clusters(clusters: Clusters, *, format: str = "audiobend") -> str:
    """Return the text of a cluster file; only ours keeps names, descriptors, the fingerprint and how they were made."""
    if format == "broad2020":
        return dump_document({layer: _broad_entries(one) for layer, one in clusters.layers.items()})
    if format == "zheng2022":
        return dump_document(_zheng_lists(clusters))
    if format != "audiobend":
        raise PatchError(f"cluster files are written as {', '.join(FORMATS)}; got {format!r}")
    layers = {layer: _our_entry(one) for layer, one in clusters.layers.items()}
    head: dict[str, Any] = {"audiobend-clusters": VERSION}
    if clusters.fingerprint is not None:
        head["fingerprint"] = clusters.fingerprint
    if clusters.made:
        head["made"] = dict(clusters.made)
    return dump_document({**head, "layers": layers})


def _ours(document: Mapping[str, Any]) -> Clusters:
    version = document.get("audiobend-clusters")
    if type(version) is not int or version != VERSION:
        rule = f"audiobend-clusters must be {VERSION}, the version of cluster files"
        raise PatchError(f"{rule}, got {shown(version)}")
    check_keys(document, _TOP)
    layers, fingerprint, made = (document.get(key) for key in ("layers", "fingerprint", "made"))
    if not isinstance(layers, Mapping):
        raise PatchError(f"layers must be a mapping from layer names, got {shown(layers)}")
    if not isinstance(made, Mapping | None):
        raise PatchError(f"made must be a mapping that says how the clusters were made, got {shown(made)}")
    return Clusters(_each_layer(layers, _our_layer), None if fingerprint is None else str(fingerprint), made or {})


def _our_layer(entry: Any) -> LayerClusters:
    if not isinstance(entry, Mapping):
        raise PatchError(f"must be a mapping with 'labels', got {shown(entry)}")
    check_keys(entry, _OF_LAYER)
    names, descriptors = (entry.get(key) or {} for key in ("names", "descriptors"))
    for what, table in (("names", names), ("descriptors", descriptors)):
        if not isinstance(table, Mapping) or any(type(key) is not int for key in table):
            raise PatchError(f"{what} must be a mapping from cluster indices, got {shown(table)}")
    if not all(isinstance(facts, Mapping) for facts in descriptors.values()):
        raise PatchError(f"descriptors must be a mapping from cluster indices to mappings, got {shown(descriptors)}")
    labels = _labels(entry.get("labels"))
    for index in {*names, *descriptors} - set(range(labels.n_clusters)):
        last = labels.n_clusters - 1
        raise PatchError(f"there is no cluster {index} to name; this layer has clusters 0..{last}")
    return LayerClusters(labels.labels, {index: str(name) for index, name in names.items()}, descriptors)


def _labels(value: Any) -> LayerClusters:
    if not isinstance(value, list) or not value or any(type(one) is not int or one < 0 for one in value):
        raise PatchError(f"labels must be a list with the cluster index of each feature, got {shown(value)}")
    return LayerClusters(value)    # type: ignore[arg-type]


def _broad(entries: Any) -> LayerClusters:
    """``[{cluster_index, feature_index}, ..]`` in any order; every feature once."""
    rule = "must be a list of {cluster_index: .., feature_index: ..}"
    if not isinstance(entries, list) or not entries:
        raise PatchError(f"{rule}, got {shown(entries)}")
    labels: dict[int, int] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or set(entry) != {"cluster_index", "feature_index"}:
            raise PatchError(f"{rule}, got {shown(entry)}")
        feature, cluster = entry["feature_index"], entry["cluster_index"]
        if any(type(one) is not int or one < 0 for one in (feature, cluster)):
            raise PatchError(f"{rule}, got {shown(entry)}")
        if feature in labels:
            raise PatchError(f"feature {feature} stands there twice")
        labels[feature] = cluster
    for feature in range(len(labels)):
        if feature not in labels:
            raise PatchError(f"feature {feature} is missing (the last one is {max(labels)})")
    return _labels([labels[feature] for feature in range(len(labels))])


def _zheng(lists: list[Any]) -> Clusters:
    """One list of labels for each place; an empty list is a place without clusters."""
    if len(lists) > len(SITES):
        raise PatchError(f"a network has {len(SITES)} places at most, got lists of labels for {len(lists)}")
    layers = {
        layer: told(f"[{index}]", partial(_labels, labels))
        for index, (layer, labels) in enumerate(zip(SITES, lists, strict=False))
        if labels != []
    }
    if not layers:
        raise PatchError("there are no labels")
    return Clusters(layers)


def _each_layer(table: Mapping[Any, Any], read: Callable[[Any], LayerClusters]) -> dict[LayerName, LayerClusters]:
    found: dict[LayerName, LayerClusters] = {}
    for key, entry in table.items():
        layer = layer_name(key, f"layer {shown(key)}")
        if layer in found:    # 1 and "1" are two keys, but one layer
            raise PatchError(f"layer {layer} stands there twice")
        found[layer] = told(f"layer {layer}", partial(read, entry))
    return found


def _broad_entries(one: LayerClusters) -> list[dict[str, int]]:
    return [{"cluster_index": label, "feature_index": i} for i, label in enumerate(one.labels.tolist())]


def _zheng_lists(clusters: Clusters) -> list[list[int]]:
    for layer in clusters.layers:
        if layer not in SITES:
            raise PatchError(f"layer {layer}: lists of labels are for StyleGAN's layers const and 0..16 only")
    last = max(SITES.index(layer) for layer in clusters.layers) if clusters.layers else -1
    layers = clusters.layers
    return [layers[layer].labels.tolist() if layer in layers else [] for layer in SITES[: last + 1]]


def _our_entry(one: LayerClusters) -> dict[str, Any]:
    entry: dict[str, Any] = {"labels": one.labels.tolist()}
    if one.names:
        entry["names"] = dict(one.names)
    if one.descriptors:
        entry["descriptors"] = {index: dict(facts) for index, facts in one.descriptors.items()}
    return entry
