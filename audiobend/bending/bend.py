"""The parts of a patch: bends, operations on the latent code and on kernels, and the output. Pure data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audiobend.bending.apply import MIX
from audiobend.bending.features import All, Features, LayerName
from audiobend.bending.latent import check_latent
from audiobend.bending.transform import Param
from audiobend.bending.values import layer_name, switch
from audiobend.bending.weights import check_weight
from audiobend.errors import AudiobendError, PatchError

OUTPUT_PARAMS = {
    "mix": Param("mix", 0, 1, default=1, help="dry to wet"),
    "detail": Param("detail", 0, 1, default=0, help="how much of what the network blurs is given back"),
    "gain_db": Param("gain_db", -60, 24, default=0, unit="dB"),
}
OUTPUT_SWITCHES = ("limiter", "match_level")
_RESERVED = {"output", "latent", "seed", "weights", "all", "cluster"}
_FORBIDDEN = set(" \t\n/#*,?[]{}=")    # what OSC addresses and --set cannot carry in a name


@dataclass(frozen=True)
class Site:
    """Where a bend stood in Zheng's template: ``resolution`` in pixels, ``"Conv0_up"`` or ``"Conv1"``."""

    resolution: int
    install_after: str


@dataclass(frozen=True)
class Bend:
    """One transform at one place.

    Attributes
    ----------
    id : str
        Its name in addresses: a word without blanks or any of ``/ # * , ? [ ] { } =``.
    layer : int or str
        1..5 in the spectrogram VAE, 0..16 in StyleGAN2, ``"e1"``.. ``"e5"``, ``"z"``, ``"w"``.
    transform : str
        A name in `TRANSFORMS`.
    params : mapping from parameter name to number
        What is not named has its default.
    features : All, Cluster, Random, Range or Indices
    mix : float in 0..1
    on : bool
    profile : str or None
        ``"default"``, ``"broad2020"`` or ``"zheng2022"``; None is the patch's.
    with_norm : bool
        Normalise all features of the layer after the transform (Zheng).
    site : Site or None
    """

    id: str
    layer: LayerName
    transform: str
    params: Mapping[str, Any] = field(default_factory=dict)
    features: Features = field(default_factory=All)
    mix: float = 1.0
    on: bool = True
    profile: str | None = None
    with_norm: bool = False
    site: Site | None = None

    def __post_init__(self) -> None:
        if not self.id or _FORBIDDEN & set(self.id):
            raise PatchError(f"id must be a word without blanks or any of /#*,?[]{{}}=, got {self.id!r}")
        if self.id in _RESERVED:
            raise PatchError(f"id must not be '{self.id}', a word that addresses use for something else")
        object.__setattr__(self, "mix", float(MIX.check(self.mix, self.id)))
        object.__setattr__(self, "layer", layer_name(self.layer))
        object.__setattr__(self, "params", dict(self.params))


@dataclass(frozen=True)
class LatentBend:
    """One operation on the latent code, such as ``offset`` with ``{"axis": 3, "amount": 0.5}``.

    ``levels`` says which levels of W change in a picture network; None is all.
    """

    op: str
    params: Mapping[str, Any] = field(default_factory=dict)
    levels: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", _complete(lambda: check_latent(self.op, self.params), self.params))
        if self.levels is not None:
            object.__setattr__(self, "levels", tuple(self.levels))


@dataclass(frozen=True)
class WeightBend:
    """One operation on the kernels of a layer."""

    layer: LayerName
    op: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layer", layer_name(self.layer))
        object.__setattr__(self, "params", _complete(lambda: check_weight(self.op, self.params), self.params))


def _complete(check: Callable[[], Mapping[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked and complete parameters; wrong ones as they are, for `resolve` to tell their place."""
    try:
        return dict(check())
    except AudiobendError:
        return dict(params)


@dataclass(frozen=True)
class Output:
    """What happens after the network: ``mix`` and ``detail`` 0..1, ``gain_db`` -60..24, two switches."""

    mix: float = 1.0
    detail: float = 0.0
    gain_db: float = 0.0
    limiter: bool = True
    match_level: bool = True

    def __post_init__(self) -> None:
        for name, param in OUTPUT_PARAMS.items():
            object.__setattr__(self, name, float(param.check(getattr(self, name), "output")))
        for name in OUTPUT_SWITCHES:
            object.__setattr__(self, name, switch(getattr(self, name), f"output: {name}"))
