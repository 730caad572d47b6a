"""Everything that can be asked of a performance, as data."""

from dataclasses import dataclass
from typing import Any

from audiobend.bending.features import All, Cluster, Features, LayerName
from audiobend.bending.patch import Patch


@dataclass(frozen=True)
class Place:
    """A transform at a layer, on all features or on one cluster: where an address means a bend of its own.

    Such a bend need not be in the patch. Its id follows from the place; it is made, switched off, at the first touch,
    stands at the end of the patch, and is saved with it like any other.

    >>> Place(3, 2, "erode").id, Place("e1", None, "ablate").id
    ('layer3.cluster2.erode', 'layere1.all.ablate')
    """

    layer: LayerName
    cluster: int | None
    transform: str

    @property
    def id(self) -> str:
        """The id of the bend that belongs to this place."""
        features = "all" if self.cluster is None else f"cluster{self.cluster}"
        return f"layer{self.layer}.{features}.{self.transform}"

    @property
    def features(self) -> Features:
        """The features that its bend acts on."""
        return All() if self.cluster is None else Cluster((self.cluster,))


@dataclass(frozen=True)
class Set:
    """Give one target a value.

    Attributes
    ----------
    target : str
        As in `Patch.set` (``"fog/radius"``, ``"fog/on"``, ``"fog/radius/lfo/rate"``, ``"output/mix"``,
        ``"latent/3/offset"``, ``"seed"``), or
        ``"bypass"``, ``"difference"``, ``"solo"`` (ids of bends, with blanks between), ``"order"`` (the same), or
        ``"morph"`` (the position, 0..1, between the two scenes of the last `Morph`), ``"pad/x"``, ``"pad/y"`` (the same
        of the last `MorphFour`), or ``"macro/3"`` (0..1, which moves all that the macro is bound to).
    value : number, bool, str, selection of features or the values of a movement
    place : Place or None
        Where the bend of ``target`` is made if the patch has none of that id.
    """

    target: str
    value: Any
    place: Place | None = None


@dataclass(frozen=True)
class Panic:
    """Dry sound at once: bypass goes on. Bends stay as they are, so that switching bypass off brings them back."""


@dataclass(frozen=True)
class LoadPatch:
    """Put another patch in the place of the one that sounds."""

    patch: Patch


@dataclass(frozen=True)
class LoadScene:
    """Put a scene in the place of the patch that sounds; it is reached in so many ``seconds``, 0..600."""

    name: str
    seconds: float = 0.0


@dataclass(frozen=True)
class SaveScene:
    """Keep the patch that sounds as a scene; one of the same name is replaced."""

    name: str


@dataclass(frozen=True)
class DeleteScene:
    """Forget a scene."""

    name: str


@dataclass(frozen=True)
class Morph:
    """Sound what lies a share ``position`` (0..1) of the way from scene ``a`` to scene ``b``; see `morph`."""

    a: str
    b: str
    position: float


@dataclass(frozen=True)
class MorphFour:
    """Sound what lies between four scenes: ``x`` (0..1) of the way from ``a`` to ``b`` and from ``c`` to ``d``, and
    ``y`` (0..1) of the way from the first to the second of these."""

    a: str
    b: str
    c: str
    d: str
    x: float
    y: float


@dataclass(frozen=True)
class RenameScene:
    """Give a scene another name."""

    name: str
    to: str


@dataclass(frozen=True)
class AddBend:
    """Put one more bend behind the others, switched off; ``features`` as one types them (`parse_features`)."""

    layer: LayerName
    transform: str
    features: str = "all"


@dataclass(frozen=True)
class RemoveBend:
    """Take a bend out of the patch."""

    id: str


@dataclass(frozen=True)
class BindMacro:
    """Let a macro, 1..16, move a number; nothing moves before the macro does.

    ``target`` is as of `audiobend.bending.Binding`, and so are ``low`` and ``high``. ``place`` as of `Set`.
    """

    number: int
    target: str
    low: float | None = None
    high: float | None = None
    place: Place | None = None


@dataclass(frozen=True)
class UnbindMacro:
    """Let a macro move a number no more; without a target, nothing at all."""

    number: int
    target: str = ""


@dataclass(frozen=True)
class Undo:
    """Take the last gesture back."""


@dataclass(frozen=True)
class Redo:
    """Do again what was taken back last."""


@dataclass(frozen=True)
class StartTake:
    """Record every gesture from now on; without a name, under the next free one."""

    name: str = ""


@dataclass(frozen=True)
class StopTake:
    """End the take that is being recorded."""


@dataclass(frozen=True)
class PlayTake:
    """Do again what was done in a take, while sound runs. Who owns the state reads it and gives its commands at their
    times, then `HaltTake`."""

    name: str


@dataclass(frozen=True)
class HaltTake:
    """Play no take any more; what it did stays."""


@dataclass(frozen=True)
class StartRecording:
    """Record what is played from now on; without a name, under the next free one."""

    name: str = ""


@dataclass(frozen=True)
class StopRecording:
    """End the recording; it is there once who owns the state has finished its file, and gives `EndedRecording`."""


@dataclass(frozen=True)
class EndedRecording:
    """A recording has ended: its file is whole, under the name ``kept_as``; an empty one where there is no file."""

    name: str
    kept_as: str = ""


@dataclass(frozen=True)
class RequestModel:
    """Ask for another model. Loading takes seconds: who owns the state loads it, then gives `ModelLoaded` (with the
    new model's context) or `ModelFailed`."""

    name: str


@dataclass(frozen=True)
class ModelLoaded:
    """Another model sounds from now on. Bends that do not fit it leave the patch."""

    name: str


@dataclass(frozen=True)
class ModelFailed:
    """The wanted model could not be loaded, for a reason in one sentence."""

    name: str
    reason: str


Command = (
    Set
    | Panic
    | LoadPatch
    | LoadScene
    | SaveScene
    | DeleteScene
    | Morph
    | MorphFour
    | RenameScene
    | AddBend
    | RemoveBend
    | BindMacro
    | UnbindMacro
    | Undo
    | Redo
    | StartTake
    | StopTake
    | PlayTake
    | HaltTake
    | StartRecording
    | StopRecording
    | EndedRecording
    | RequestModel
    | ModelLoaded
    | ModelFailed
)
