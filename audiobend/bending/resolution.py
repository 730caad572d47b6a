"""Fit a patch to a network: check every value, look up clusters, draw what is random."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from torch import Tensor

from audiobend.bending.apply import check_features
from audiobend.bending.bend import Bend
from audiobend.bending.checking import check_params
from audiobend.bending.clusters import Clusters, LayerClusters
from audiobend.bending.features import Cluster, LayerName, Random, stable_key
from audiobend.bending.latent import NEEDS_ANOTHER, check_latent
from audiobend.bending.macros import check_bindings
from audiobend.bending.modulation import OFF, Moving
from audiobend.bending.patch import Patch
from audiobend.bending.plan import Plan
from audiobend.bending.step import Step
from audiobend.bending.targets import check_moves
from audiobend.bending.transform import get_transform
from audiobend.bending.values import shown, told
from audiobend.errors import AudiobendError, PatchError


class Layer(Protocol):
    """What a plan needs to know of a layer; `audiobend.networks.LayerSpec` has it.

    ``name`` as in a patch; ``n_features``, ``height`` and ``width`` of its activation maps; ``axes`` says
    what height and width mean, such as ``("time", "frequency")``.
    """

    @property
    def name(self) -> LayerName: ...
    @property
    def n_features(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def axes(self) -> tuple[str, str]: ...


def resolve(
    patch: Patch,
    layers: Sequence[Layer],
    clusters: Clusters | None = None,
    *,
    axes: int | Tensor | None = None,
) -> Plan:
    """Check a patch against a network and draw what is random.

    Parameters
    ----------
    patch : Patch
    layers : sequence of `Layer`
        What the network offers, such as ``network.layers()``.
    clusters : Clusters or None
    axes : int, Tensor of shape ``(axis, dim)`` or None
        The principal axes of the latent code or their number, to check the patch's ``latent`` entries.

    Returns
    -------
    Plan

    Raises
    ------
    PatchError
        With the entry, the rule, the value given and what would be right.
    """
    table = {layer.name: layer for layer in layers}
    _check_latent(patch, axes, has_levels="w" in table)
    check_bindings(patch, len(axes) if isinstance(axes, Tensor) else axes)
    moves = _modulation(patch)
    steps: dict[LayerName, list[Step]] = {}
    chosen: dict[str, tuple[int, ...]] = {}
    for index, bend in enumerate(patch.bends):
        try:
            step = _step(patch, bend, table, clusters, moves)
        except AudiobendError as error:
            raise PatchError(f"transforms[{index}]: {error}") from None
        if step is None:
            continue
        chosen[bend.id] = step.chosen
        if _is_active(step):
            steps.setdefault(step.layer, []).append(step)
    return Plan(patch, {layer: tuple(of_layer) for layer, of_layer in steps.items()}, moves, chosen)


def _step(
    patch: Patch,
    bend: Bend,
    table: Mapping[LayerName, Layer],
    clusters: Clusters | None,
    moves: Mapping[str, Moving],
) -> Step | None:
    """Resolve one bend; None where it silently did nothing in the original, too."""
    profile = patch.profile_of(bend)
    entry = get_transform(bend.transform, profile)
    values = check_params(entry, bend.params)
    if bend.layer == 0 and profile == "broad2020":
        warnings.warn(f"{bend.id}: the profile broad2020 never bends layer 0, as the original", stacklevel=4)
        return None
    layer = _layer(bend.layer, table)
    labels = _labels(bend, layer, clusters)
    key_seed = patch.seed
    if isinstance(bend.features, Random) and bend.features.seed is not None:
        key_seed = bend.features.seed
    chosen = bend.features.resolve(layer.n_features, labels, stable_key(key_seed, bend.layer, bend.id))
    if isinstance(bend.features, Cluster) and chosen.numel() == 0:
        warnings.warn(f"{bend.id}: the cluster has no features, so the bend does nothing", stacklevel=4)
    features = check_features(chosen, layer.n_features)
    seed = stable_key(patch.seed, bend.layer, bend.id, "seed") >> 32
    prefix = f"{bend.id}/"
    moving = {target[len(prefix) :]: one for target, one in moves.items() if target.startswith(prefix)}
    return Step(bend, layer.name, entry, values, tuple(chosen.tolist()), features, seed, moving)


def _is_active(step: Step) -> bool:
    audible = step.bend.mix > 0 or "mix" in step.moving
    return step.bend.on and audible and len(step.chosen) > 0


def _layer(name: LayerName, table: Mapping[LayerName, Layer]) -> Layer:
    if name in table:
        return table[name]
    if name == "const" and 0 in table:
        warnings.warn("this model's constant cannot be bent; layer 0 is bent instead", stacklevel=5)
        return table[0]
    raise PatchError(f"layer {name}: this model has layers {spans(list(table))}")


def _labels(bend: Bend, layer: Layer, clusters: Clusters | None) -> LayerClusters | None:
    if not isinstance(bend.features, Cluster):
        return None
    if clusters is None:
        raise PatchError("features: cluster needs clusters, but this model has none")
    labels = clusters.of_layer(bend.layer if bend.layer in clusters else layer.name)
    if labels.n_features != layer.n_features:
        raise PatchError(
            f"layer {layer.name} has {layer.n_features} features, its clusters are for {labels.n_features}"
        )
    return labels


def _check_latent(patch: Patch, axes: int | Tensor | None, has_levels: bool) -> None:
    n_axes = len(axes) if isinstance(axes, Tensor) else axes
    for index, one in enumerate(patch.latent):
        values = told(f"latent[{index}]", partial(check_latent, one.op, one.params))
        if one.levels is not None and not has_levels:
            rule = "levels must be left out for this model, whose latent code has none"
            raise PatchError(f"latent[{index}]: {one.op}: {rule}; got {shown(list(one.levels))}")
        if one.op in NEEDS_ANOTHER and not has_levels:
            raise PatchError(f"latent[{index}]: {one.op}: takes the code of another seed; this model draws none")
        axis = values.get("axis", 0)
        if n_axes is not None and axis >= n_axes:
            rule = f"axis must be in 0..{n_axes - 1} for this model"
            raise PatchError(f"latent[{index}]: {one.op}: {rule}, got {axis}")


def _modulation(patch: Patch) -> dict[str, Moving]:
    """Oscillators by target; every target is checked, and written with the parameter's own name."""
    found: dict[str, Moving] = {}
    for index, one in enumerate(patch.modulation):
        try:
            param = patch.param(one.target)
            check_moves(patch, one.target)
        except AudiobendError as error:
            raise PatchError(f"modulation[{index}]: {error}") from None
        if one.lfo == OFF:
            continue
        owner = one.target.partition("/")[0]
        target = one.target if owner == "latent" else f"{owner}/{param.name}"
        before = found[target].oscillators if target in found else ()
        found[target] = Moving(param, (*before, one), patch.seed)
    return found


def spans(names: Sequence[LayerName]) -> str:
    """Write layer names briefly: ``1..5, e1..e5, z``.

    >>> spans([1, 2, 3, "e1", "e2", "z"])
    '1..3, e1..e2, z'
    """
    groups: list[tuple[str, int | None, int | None]] = []
    for name in names:
        text = str(name)
        stem = text.rstrip("0123456789")
        last = int(text[len(stem) :]) if text != stem else None
        if groups and last is not None and groups[-1][0] == stem and groups[-1][2] == last - 1:
            groups[-1] = (stem, groups[-1][1], last)
        else:
            groups.append((stem, last, last))
    return ", ".join(
        stem if low is None else f"{stem}{low}" if low == high else f"{stem}{low}..{stem}{high}"
        for stem, low, high in groups
    )
