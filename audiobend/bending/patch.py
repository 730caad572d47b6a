"""A patch: an ordered list of bends with what a performance of them needs. Pure data, never changed.

Every change returns a new patch, so that one block of sound never sees half of a change.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from audiobend.bending.bend import Bend, LatentBend, Output, WeightBend
from audiobend.bending.checking import check_params
from audiobend.bending.features import LayerName
from audiobend.bending.macros import Binding, bindings_of, in_order, macro_number, turned, without_owner
from audiobend.bending.modulation import Modulation
from audiobend.bending.movement import get_movement, is_movement, set_movement
from audiobend.bending.targets import find_param, get_value, set_value
from audiobend.bending.transform import PROFILES, Param, get_transform
from audiobend.bending.values import seed_number, shown
from audiobend.errors import AudiobendError, PatchError, did_you_mean


@dataclass(frozen=True)
class Patch:
    """Ordered bends, and what goes with them.

    Examples
    --------
    >>> patch = Patch(name="low tide", seed=7).add(3, "erode", {"radius": 2}, mix=0.8, id="fog")
    >>> patch.set("fog/radius", 3).bend("fog").params["radius"]
    3
    >>> patch.set("fog/radios", 3)
    Traceback (most recent call last):
    audiobend.errors.PatchError: fog/radios: erode has no 'radios'; did you mean 'radius'?
    """

    name: str = ""
    seed: int = 0
    profile: str = "default"
    bends: tuple[Bend, ...] = ()
    latent: tuple[LatentBend, ...] = ()
    output: Output = field(default_factory=Output)
    modulation: tuple[Modulation, ...] = ()
    weights: tuple[WeightBend, ...] = ()
    macros: tuple[Binding, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.profile, str) or self.profile not in PROFILES:
            raise PatchError(f"unknown profile {shown(self.profile)}{did_you_mean(self.profile, PROFILES)}")
        object.__setattr__(self, "seed", seed_number(self.seed))
        for name in ("bends", "latent", "modulation", "weights"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "macros", in_order(self.macros))
        object.__setattr__(self, "bends", tuple(_complete_bend(one, self.profile_of(one)) for one in self.bends))
        seen: set[str] = set()
        for index, bend in enumerate(self.bends):
            if bend.id in seen:
                raise PatchError(f"transforms[{index}]: id '{bend.id}' is taken by another entry")
            seen.add(bend.id)

    def replace(self, **changes: Any) -> "Patch":
        """Return a copy with other attributes."""
        return replace(self, **changes)

    def bend(self, id: str) -> Bend:
        """Return the bend of that id; `PatchError` with the nearest."""
        for bend in self.bends:
            if bend.id == id:
                return bend
        raise PatchError(f"there is no bend '{id}'{did_you_mean(id, [bend.id for bend in self.bends])}")

    def with_bend(self, bend: Bend) -> "Patch":
        """Return a copy in which ``bend`` takes the place of the one with its id, or stands at the end."""
        bend = _complete_bend(bend, self.profile_of(bend))
        changed = copy(self)    # a performance does this thousands of times a second; the others are complete already
        bends = tuple(bend if one.id == bend.id else one for one in self.bends)
        object.__setattr__(changed, "bends", bends if bend in bends else (*bends, bend))
        return changed

    def without(self, id: str) -> "Patch":
        """Return a copy without one bend, and without what moves its parameters: modulation and bindings of macros."""
        gone = self.bend(id)
        kept = tuple(one for one in self.modulation if not one.target.startswith(f"{id}/"))
        bends = tuple(one for one in self.bends if one is not gone)
        return replace(self, bends=bends, modulation=kept, macros=without_owner(self.macros, id))

    def add(
        self, layer: LayerName, transform: str, params: Mapping[str, Any] | None = None, **options: Any
    ) -> "Patch":
        """Return a copy with one more bend at the end; ``options`` are attributes of `Bend`."""
        id = options.pop("id", None) or new_id(layer, transform, [bend.id for bend in self.bends])
        return replace(self, bends=(*self.bends, Bend(id, layer, transform, dict(params or {}), **options)))

    def profile_of(self, bend: Bend) -> str:
        """Return the profile that a bend follows."""
        return bend.profile or self.profile

    def param(self, target: str) -> Param:
        """Return the range of a target that takes numbers, such as ``"fog/radius"`` or ``"output/mix"``."""
        return find_param(self, target)

    def get(self, target: str) -> Any:
        """Return the value of a target; see `set`."""
        return get_movement(self, target) if is_movement(target) else get_value(self, target)

    def set(self, target: str, value: Any) -> "Patch":
        """Return a copy with one value changed.

        Parameters
        ----------
        target : str
            ``"<id>/<parameter>"``, ``"<id>/mix"``, ``"<id>/on"``, ``"<id>/layer"``, ``"<id>/features"``,
            ``"output/<name>"``, ``"latent/<axis>/<op>"`` (such as ``"latent/3/offset"``) or ``"seed"``; and for what
            moves a number ``"<id>/<parameter>/lfo"``, and ``"/rate"``, ``"/depth"``, ``"/phase"`` behind that;
            ``"macro/<number>"`` sets all that this macro is bound to.
        value : number, bool, str or selection of features
            Text is read as on a command line: ``"3"``, ``"off"``, ``"cluster 1"``, ``"sine 0.2 1.0"``.
        """
        number = macro_number(target)
        if number is not None:
            return self._turned(number, value)
        if is_movement(target):
            return set_movement(self, target, value)
        return set_value(self, target, value)

    def _turned(self, number: int, value: Any) -> "Patch":
        changed = turned(self, number, value)
        if not bindings_of(self, number):
            bound = sorted({one.number for one in self.macros})
            raise PatchError(f"macro {number} is bound to nothing{did_you_mean(str(number), bound)}")
        return changed


def _complete_bend(bend: Bend, profile: str) -> Bend:
    """Give parameters their own names and defaults, so that a patch equals what its file will say."""
    try:
        entry = get_transform(bend.transform, profile)
        if bend.params.keys() == {param.name for param in entry.params}:
            return bend
        return replace(bend, params=check_params(entry, bend.params))
    except AudiobendError:    # `resolve` tells what is wrong, with the place of the bend
        return bend


def new_id(layer: LayerName, transform: str, taken: Iterable[str]) -> str:
    """Return an id that says what the bend does: ``"3-erode"``, and ``"3-erode-2"`` where that is taken.

    >>> new_id(3, "erode", ["3-erode"])
    '3-erode-2'
    """
    base = f"{layer}-{transform}"
    names, count, id = set(taken), 1, base
    while id in names:
        count += 1
        id = f"{base}-{count}"
    return id
