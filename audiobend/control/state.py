"""The state of a performance, and what it is checked against. Pure data, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from audiobend.bending import TRANSFORMS, Clusters, Patch, Transform
from audiobend.bending.features import LayerName
from audiobend.bending.macros import N_MACROS
from audiobend.bending.resolution import Layer
from audiobend.control.history import History
from audiobend.networks.model import Model

NO_SCENES: Mapping[str, Patch] = MappingProxyType({})


@dataclass(frozen=True)
class MorphPosition:
    """Where the sound is between two scenes: 0 is ``a``, 1 is ``b``."""

    a: str
    b: str
    position: float


@dataclass(frozen=True)
class PadPosition:
    """Where the sound is between four scenes: 0, 0 is ``a``; ``b`` lies along x, ``c`` along y, ``d`` opposite."""

    a: str
    b: str
    c: str
    d: str
    x: float
    y: float

    @property
    def corners(self) -> tuple[str, str, str, str]:
        """The scenes."""
        return self.a, self.b, self.c, self.d


@dataclass(frozen=True)
class Fade:
    """A scene that is reached over a time: whoever plays the sound goes there from what sounds when it hears of it.

    Attributes
    ----------
    number : int
        Tells it from any other fade.
    seconds : float
    """

    number: int
    seconds: float


@dataclass(frozen=True)
class State:
    """Everything that can change while sound runs.

    Attributes
    ----------
    patch : Patch
        What sounds (or is faded to), with the bends made on the fly, the output's mix, detail and gain, and the seed.
    bypass : bool
        The dry sound is heard, bit for bit.
    difference : bool
        What bends add and take away is heard alone: an aid for the ear, no part of the patch.
    solo : str
        Ids of the bends that are heard alone, with blanks between; empty where all are.
    scenes : mapping from name to Patch
    scene : str
        The scene loaded last; empty before.
    morph : MorphPosition or None
        None where the sound is not between two scenes.
    pad : PadPosition or None
        None where it is not between four.
    macros : tuple of 16 floats in 0..1
        Where the macros stand; what they are bound to is in the patch.
    fade : Fade or None
        How ``patch`` is reached; None where it is there at once. It stays when it is over.
    history : History
        Steps back and forth.
    take : str
        Name of the take that is being recorded; empty where none is.
    takes : tuple of str
        Names of the takes there are.
    playing : str
        Name of the take that is played again; empty where none is.
    plays : int
        How often one was begun.
    can_record : bool
        There is a session to record into.
    recording : str
        Name of the recording of what is played that is being made; empty where none is.
    finishing : tuple of str
        Names of those that have been stopped, and are not whole yet.
    recordings : tuple of str
        Names of those there are.
    model : str
        Name of the model that sounds.
    wanted_model : str
        Name of the one that is being loaded; empty where none is.
    model_error : str
        Why the last wanted model could not be loaded; empty where it could.
    image : str
        Address of the page on which pictures bent by the same gestures are seen; empty where there are none.
    profile, input, output : str
        Of latency; names of the sound cards. Whoever plays the sound brings it there, or takes the wish back.
    panics : int
        How often panic was called; whoever plays the sound may forget what is under way when it grows.
    revision : int
        Grows by one with every change.
    """

    patch: Patch
    bypass: bool = False
    difference: bool = False
    solo: str = ""
    scenes: Mapping[str, Patch] = field(default_factory=lambda: NO_SCENES)
    scene: str = ""
    morph: MorphPosition | None = None
    pad: PadPosition | None = None
    macros: tuple[float, ...] = (0.0,) * N_MACROS
    fade: Fade | None = None
    history: History = field(default_factory=History)
    take: str = ""
    takes: tuple[str, ...] = ()
    playing: str = ""
    plays: int = 0
    can_record: bool = False
    recording: str = ""
    finishing: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    model: str = ""
    wanted_model: str = ""
    model_error: str = ""
    image: str = ""
    profile: str = ""
    input: str = ""
    output: str = ""
    panics: int = 0
    revision: int = 0

    @property
    def heard(self) -> Patch:
        """What of the patch is heard: all of it, or the bends that play solo."""
        alone = set(self.solo.split())
        if not alone & {bend.id for bend in self.patch.bends}:
            return self.patch
        bends = (bend if bend.id in alone else replace(bend, on=False) for bend in self.patch.bends)
        return self.patch.replace(bends=tuple(bends))

    @property
    def mix(self) -> float:
        """Dry to wet, 0..1."""
        return self.patch.output.mix

    @property
    def detail(self) -> float:
        """How much of what the network blurs is given back, 0..1."""
        return self.patch.output.detail

    @property
    def gain_db(self) -> float:
        """Gain at the output, -60..24 dB."""
        return self.patch.output.gain_db

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return self.patch.seed

    def replace(self, **changes: Any) -> "State":
        """Return a copy with other attributes."""
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Context:
    """What a state is checked against: the model's layers and clusters, the transforms, the models there are.

    Attributes
    ----------
    layers : sequence of `Layer`
    clusters : Clusters or None
    n_axes : int
        Principal axes of the latent code.
    model : str
    models : sequence of str
        Names that `RequestModel` may ask for.
    transforms : mapping from name to Transform
    """

    layers: Sequence[Layer]
    clusters: Clusters | None = None
    n_axes: int = 0
    model: str = ""
    models: Sequence[str] = ()
    transforms: Mapping[str, Transform] = field(default_factory=lambda: TRANSFORMS)

    @classmethod
    def of_model(cls, model: Model, models: Sequence[str] = ()) -> "Context":
        """Return the context of a loaded model."""
        layers = model.network.layers()
        return cls(layers, model.clusters, len(model.latent_axes), model.name, tuple(models) or (model.name,))

    def n_clusters(self, layer: LayerName) -> int:
        """Return how many clusters a layer has; 0 where it has none."""
        return self.clusters.n_clusters(layer) if self.clusters and layer in self.clusters else 0

    def cluster_label(self, layer: LayerName, cluster: int) -> str:
        """Return what a cluster is called."""
        return self.clusters.label(layer, cluster) if self.clusters else f"cluster {cluster}"
