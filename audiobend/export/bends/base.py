"""What a transform is in an exported file, and the table of those that can be exported."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from audiobend.bending.step import Step
from audiobend.bending.transform import PROFILES, Transform
from audiobend.errors import PatchError


@dataclass(frozen=True)
class Place:
    """Where a bend acts: a resolved step, and the shape of its layer's maps."""

    step: Step
    n_features: int
    height: int
    width: int

    @property
    def features(self) -> Tensor:
        """The features that are bent, ``(k,)``, sorted."""
        return torch.tensor(self.step.chosen, dtype=torch.long)

    def probe(self, x: Tensor) -> Tensor:
        """Return what the transform makes of maps ``(1, feature, height, width)``, of the bent features only.

        Values are the step's own; whoever asks about places or partners learns them from maps that hold numbers.
        """
        entry, values = self.step.entry, tuple(self.step.values.values())
        if not entry.whole:
            return entry.function(x.index_select(1, self.features), *values)
        extra = {"seed": self.step.seed, "call": 0} if entry.seeded else {}
        return entry.function(x, self.features, *values, other=None, **extra)


class Bender(nn.Module):
    """Bends the chosen features of a layer; children say how.

    Attributes
    ----------
    fixed : names of parameters whose value is part of the file
    """

    fixed: tuple[str, ...] = ()

    def __init__(self, place: Place) -> None:
        super().__init__()

    @torch.jit.export
    def reach(self, values: list[float]) -> int:
        """Return how many rows above and below a row matter to it; -1 where the whole map does."""
        return -1

    def forward(self, x: Tensor, part: Tensor, values: list[float], call: int) -> Tensor:
        """Return the bent features ``(batch, k, height, width)``.

        ``x`` has all features and ``part`` those to bend; neither is changed. ``values`` are the parameters in their
        order, ``call`` is the number of this window.
        """
        return part


EXPORTED: dict[tuple[str, str], type[Bender]] = {}
"""What stands for a transform, by profile and name."""


def exported(name: str, profile: str = "default") -> Callable[[type[Bender]], type[Bender]]:
    """Let the decorated class stand for a transform."""

    def register(kind: type[Bender]) -> type[Bender]:
        EXPORTED[profile, name] = kind
        return kind

    return register


def _kind(entry: Transform, id: str) -> type[Bender]:
    for (profile, name), kind in EXPORTED.items():
        if PROFILES[profile].get(name) is entry:
            return kind
    names = sorted({name for _, name in EXPORTED})
    raise PatchError(f"{id}: {entry.name} cannot be exported; these can: {', '.join(names)}")


def bender_for(place: Place) -> Bender:
    """Return what bends there in an exported file; `PatchError` names a transform that has no such form."""
    return _kind(place.step.entry, place.step.bend.id)(place)


def fixed_params(step: Step) -> tuple[str, ...]:
    """Return the parameters of a step that cannot be turned in an exported file; `PatchError` as `bender_for`."""
    return _kind(step.entry, step.bend.id).fixed
