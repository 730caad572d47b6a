"""Templates of J. Zheng's network bending of StyleGAN: which place they mean, and the bends they ask for.

Places become layers of StyleGAN2, whose bends act after a convolution's bias and activation:

=================== =======
4 px ``Conv0_up``   ``"const"``, the learned constant; where a network has none, layer 0
4 px ``Conv1``      0
8 px ``Conv0_up``   1
8 px ``Conv1``      2
16 px ``Conv0_up``  3, and so on to 1024 px ``Conv1``, 16
=================== =======
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from audiobend.bending import All, Bend, Cluster, Features, Patch
from audiobend.bending.bend import Site
from audiobend.bending.checking import check_params
from audiobend.bending.features import LayerName
from audiobend.bending.patch import new_id
from audiobend.bending.values import shown, switch
from audiobend.errors import AudiobendError, PatchError
from audiobend.io.fields import check_keys

RESOLUTIONS = tuple(2**power for power in range(2, 11))
PLACES = ("Conv0_up", "Conv1")
_ENTRY_KEYS = ("resolution", "install_after", "layers")
_BLOCK_KEYS = ("operation", "name", "clusters", "with_norm")
_IGNORED = ("kernel_size",)    # the template's own guide names it for mean_filter, its code never read it


def is_template(document: object) -> bool:
    """Tell whether a document is a list of places to bend."""
    return isinstance(document, list) and all(
        isinstance(entry, Mapping) and "transform" not in entry for entry in document
    )


def layer_of(site: Site) -> LayerName:
    """Return the layer of StyleGAN2 that a place stands for.

    >>> [layer_of(Site(4, place)) for place in PLACES], layer_of(Site(1024, "Conv1"))
    (['const', 0], 16)
    """
    number = 2 * (site.resolution.bit_length() - 3) + PLACES.index(site.install_after) - 1
    return "const" if number < 0 else number


def parse_template(entries: list[Any]) -> Patch:
    """Return a template as a patch of the profile ``zheng2022``; the first entry of a place counts."""
    bends: list[Bend] = []
    for site, block, where in _blocks(entries):
        if block.get("operation") in (None, "none"):
            continue
        try:
            bends.append(_bend(site, block, [bend.id for bend in bends]))
        except AudiobendError as error:
            raise PatchError(f"{where}: {error}") from None
    return Patch(profile="zheng2022", bends=tuple(bends))


def _blocks(entries: list[Any]) -> Iterator[tuple[Site, Mapping[str, Any], str]]:
    seen: set[Site] = set()
    for index, entry in enumerate(entries):
        where = f"[{index}]"
        check_keys(entry, _ENTRY_KEYS, f"{where}: ")
        site = parse_site(entry, where)
        if site in seen:
            warnings.warn(
                f"{where}: {site.resolution} px {site.install_after} stands twice; only the first counts, "
                "as in the original",
                stacklevel=4,
            )
            continue
        seen.add(site)
        blocks = entry.get("layers") or []
        if not isinstance(blocks, list) or not all(isinstance(block, Mapping) for block in blocks):
            raise PatchError(f"{where}: layers must be a list of operations")
        for number, block in enumerate(blocks):
            yield site, block, f"{where}: layers[{number}]"


def parse_site(entry: Mapping[str, Any], where: str) -> Site:
    """Read ``resolution`` and ``install_after``."""
    resolution, place = entry.get("resolution"), entry.get("install_after")
    if isinstance(resolution, bool) or resolution not in RESOLUTIONS:
        allowed = ", ".join(map(str, RESOLUTIONS))
        raise PatchError(f"{where}: resolution must be one of {allowed}; got {shown(resolution)}")
    if place not in PLACES:
        raise PatchError(f"{where}: install_after must be Conv0_up or Conv1, got {shown(place)}")
    return Site(RESOLUTIONS[RESOLUTIONS.index(resolution)], str(place))


def _bend(site: Site, block: Mapping[str, Any], taken: list[str]) -> Bend:
    operation = str(block["operation"])
    values = {key: _alone(value) for key, value in block.items() if key not in (*_BLOCK_KEYS, *_IGNORED)}
    for key in set(_IGNORED) & set(block):
        warnings.warn(f"{operation}: {key} is ignored as in the original; filter_shape counts", stacklevel=5)
    layer = layer_of(site)
    return Bend(
        id=new_id(layer, operation, taken),
        layer=layer,
        transform=operation,
        params=check_params(operation, values, "zheng2022"),
        features=_clusters(block.get("clusters")),
        with_norm=switch(block.get("with_norm", False), "with_norm"),
        site=site,
    )


def _alone(value: Any) -> Any:
    """The template's own default for sin_disrupt is ``[1]``, which its code could not read."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _clusters(given: Any) -> Features:
    if given is None or given == []:
        return All()
    if not isinstance(given, list) or not all(type(one) is int and one >= 0 for one in given):
        raise PatchError(f"clusters must be a list of cluster indices such as [0, 2], got {shown(given)}")
    return Cluster(tuple(given))
