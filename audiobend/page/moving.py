"""Where the numbers stand that oscillators and the input's level move, for the page's ticks. Pure."""

from collections.abc import Iterator
from itertools import groupby

import torch

from audiobend.bending import Patch
from audiobend.bending.modulation import OFF, Modulation, Moving
from audiobend.bending.movement import canonical
from audiobend.bending.targets import find_param
from audiobend.errors import AudiobendError
from audiobend.osc.encode import ROOT
from audiobend.page.facts import address_of

FLOOR_DB = -60.0
"""Of the input's loudness: 0 there, 1 at full scale."""


def moving(patch: Patch, seconds: float, in_db: float) -> list[tuple[str, float]]:
    """Return the address and the value of every number that moves, as it is heard at a time of the engine.

    Parameters
    ----------
    patch : Patch
    seconds : float
        Since the engine began.
    in_db : float
        Level of the input, for what follows it: the engine's own is smoother.
    """
    loudness = min(1.0, max(0.0, 1 - in_db / FLOOR_DB))
    times = torch.tensor([max(0.0, seconds)], dtype=torch.float64)
    found = []
    for target, oscillators in _by_target(patch):
        param = find_param(patch, target)
        one = Moving(param, oscillators, patch.seed, lambda moments, rate: torch.full_like(moments, loudness))
        found.append((_address(patch, target), float(one.values(float(patch.get(target)), times)[0])))
    return found


def _by_target(patch: Patch) -> Iterator[tuple[str, tuple[Modulation, ...]]]:
    named = []
    for one in patch.modulation:
        try:
            named.append((canonical(patch, one.target), one))
        except AudiobendError:
            continue    # of a bend that is no more
    for target, group in groupby(sorted(named, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        oscillators = tuple(one for _, one in group if one.lfo != OFF)
        if oscillators:
            yield target, oscillators


def _address(patch: Patch, target: str) -> str:
    owner, _, name = target.partition("/")
    if owner == "output":
        return f"{ROOT}/{'gain' if name == 'gain_db' else name}"
    return f"{ROOT}/{target}" if owner == "latent" else f"{address_of(patch.bend(owner))}/{name}"
