"""A fade whose goal is changed while it is under way."""

from dataclasses import replace

from audiobend.bending import Patch
from audiobend.bending.bend import OUTPUT_PARAMS
from audiobend.control.scenes import pinned


def retouched(origin: Patch, before: Patch, after: Patch) -> Patch:
    """Return where a fade comes from when its goal turns from ``before`` to ``after``: what was touched is there now.

    >>> low, high = Patch().add(3, "erode", {"radius": 2}, id="fog"), Patch().add(3, "erode", {"radius": 6}, id="fog")
    >>> retouched(low, high, high.set("fog/radius", 9)).bend("fog").params["radius"]
    9
    """
    known = {bend.id: bend for bend in before.bends}
    for bend in after.bends:
        if known.get(bend.id) != bend:
            origin = origin.with_bend(pinned(bend, after))
    turned = {
        name: getattr(after.output, name)
        for name in OUTPUT_PARAMS
        if getattr(after.output, name) != getattr(before.output, name)
    }
    whole = {
        name: getattr(after, name)
        for name in ("latent", "modulation", "weights", "seed")
        if getattr(after, name) != getattr(before, name)
    }
    return origin.replace(output=replace(origin.output, **turned), **whole) if turned or whole else origin
