"""The one registry of transforms: their names, parameters and ranges. Everything else is derived from it.

A transform is a pure function on activation maps ``(batch, feature, height, width)``. It is declared once::

    @transform("rotate", Param("angle", 0, 360, default=0, unit="degrees"))
    def rotate(x: Tensor, angle: float) -> Tensor: ...

and is from then on checked, documented, addressed over OSC, benchmarked and tested with all the others.
The function sees only the features to bend and plain numbers; how values vary inside a batch, which features
change and how much is mixed in is the business of `audiobend.bending.apply`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral, Real

from torch import Tensor

from audiobend.bending.values import shown
from audiobend.errors import TransformError, did_you_mean

Number = float | int
Value = Number | tuple[Number, ...]
"""A checked parameter value: one number, or one number for each item of the batch."""

Function = Callable[..., Tensor]


@dataclass(frozen=True)
class Param:
    """One parameter of a transform: its name, the range it lives in, and the value it has when nobody says.

    >>> Param("radius", 0, 32, default=1, integer=True).span
    '0..32'
    """

    name: str
    low: float
    high: float
    default: float
    unit: str = ""
    integer: bool = False
    help: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def span(self) -> str:
        """The range in words, as in ``0..360 degrees``."""
        return f"{self.low:g}..{self.high:g}{' ' + self.unit if self.unit else ''}"

    def check(self, value: object, owner: str) -> Number:
        """Return ``value`` as a plain number inside the range; `TransformError` names ``owner`` and the rule.

        >>> Param("angle", 0, 360, default=0, unit="degrees").check(400, "rotate")
        Traceback (most recent call last):
        audiobend.errors.TransformError: rotate: angle must be in 0..360 degrees, got 400
        """
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TransformError(f"{owner}: {self.name} must be a number, got {shown(value)}")
        try:
            number = float(value)
        except OverflowError:    # whole numbers of hundreds of digits, beyond every range
            number = math.inf
        if not self.low <= number <= self.high:    # NaN fails this too
            raise TransformError(f"{owner}: {self.name} must be in {self.span}, got {_plain(value)}")
        if not self.integer:
            return number
        if number != math.floor(number):
            raise TransformError(f"{owner}: {self.name} must be a whole number, got {_plain(value)}")
        return int(number)


@dataclass(frozen=True)
class Transform:
    """A registered transform.

    ``function(x, *values)`` gets the features to bend, ``(batch, k, height, width)``, and one number per
    parameter, and returns a new tensor of the same shape. Three kinds differ from that:

    - ``elementwise``: the function takes ``out=`` as well (which may be ``x`` itself), to work in place;
    - ``whole``: it takes ``(x, features, *values, other=)``, where ``x`` has all features and ``features`` is
      the index tensor ``(k,)`` of those to bend, and returns only these;
    - ``seeded``: it is ``whole``, and takes ``seed=`` and ``call=`` as well.
    """

    name: str
    family: str
    params: tuple[Param, ...]
    function: Function
    description: str = ""
    elementwise: bool = False
    whole: bool = False
    seeded: bool = False
    forms: tuple[tuple[str, ...], ...] = field(default=())
    """Which parameters a positional list may give, by its length."""

    def param(self, name: str) -> Param:
        """The parameter of that name (or alias); `TransformError` with the nearest name if there is none."""
        for param in self.params:
            if name == param.name or name in param.aliases:
                return param
        near = did_you_mean(name, [param.name for param in self.params])
        raise TransformError(f"{self.name}: no parameter {name!r}{near}")

    def defaults(self) -> dict[str, Value]:
        """The value of every parameter when nobody says."""
        return {p.name: int(p.default) if p.integer else float(p.default) for p in self.params}


TRANSFORMS: dict[str, Transform] = {}
"""Every transform of the default profile, by name."""

PROFILES: dict[str, dict[str, Transform]] = {"default": TRANSFORMS, "broad2020": {}, "zheng2022": {}}
"""For each profile the transforms it defines differently; what it does not name is the default's."""

ALIASES = {"binary-tresh": "binary-thresh"}    # the original's README and its example patch spell it so


def transform(
    name: str,
    *params: Param,
    profile: str = "default",
    elementwise: bool = False,
    whole: bool = False,
    seeded: bool = False,
    forms: tuple[tuple[str, ...], ...] | None = None,
) -> Callable[[Function], Function]:
    """Register the decorated function under ``name``; see `Transform` for the flags.

    The family is the module's name, the description the first line of the docstring.
    """

    def register(function: Function) -> Function:
        if name in PROFILES[profile]:
            raise ValueError(f"transform {name!r} is registered twice in profile {profile!r}")
        PROFILES[profile][name] = Transform(
            name=name,
            family=function.__module__.rpartition(".")[2],
            params=params,
            function=function,
            description=(function.__doc__ or "").strip().split("\n")[0],
            elementwise=elementwise,
            whole=whole or seeded,
            seeded=seeded,
            forms=forms if forms is not None else (tuple(p.name for p in params),),
        )
        return function

    return register


def get_transform(name: str, profile: str = "default") -> Transform:
    """The transform called ``name`` in ``profile``; `TransformError` with the nearest name if there is none.

    >>> get_transform("binary-tresh").name
    'binary-thresh'
    >>> get_transform("erodd")
    Traceback (most recent call last):
    audiobend.errors.TransformError: unknown transform 'erodd'; did you mean 'erode'?
    """
    if not isinstance(profile, str) or profile not in PROFILES:
        raise TransformError(f"unknown profile {shown(profile)}{did_you_mean(profile, PROFILES)}")
    own, key = PROFILES[profile], ALIASES.get(name, name) if isinstance(name, str) else ""
    found = own.get(key) or TRANSFORMS.get(key)
    if found is None:
        raise TransformError(f"unknown transform {shown(name)}{did_you_mean(name, TRANSFORMS | own)}")
    return found


def _plain(value: object) -> str:
    return shown(int(value)) if isinstance(value, Integral) else f"{float(value):g}"    # type: ignore[arg-type]
