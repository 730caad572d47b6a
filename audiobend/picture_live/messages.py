"""What the process of the pictures and its parent say to one another."""

from dataclasses import dataclass, field

from audiobend.bending import Patch
from audiobend.control import Fade
from audiobend.picture_live.depth import Side
from audiobend.picture_settings import PictureSettings


@dataclass(frozen=True)
class Where:
    """Where pictures are served, and to whom.

    Attributes
    ----------
    address : str
    port : int
        0 takes any free one.
    allow : tuple of str
        IP addresses or networks that may look; empty is all that reach the address.
    """

    address: str = "127.0.0.1"
    port: int = 9081
    allow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setup:
    """All that the pictures begin with.

    Attributes
    ----------
    settings : PictureSettings
    where : Where
    seeds : tuple of int
        A walk from one to the next, and back to the first.
    pace : float
        Seconds from seed to seed; 0 stands still.
    fps : float
        The most pictures in a second.
    side : int or None
        Width of what is shown, in pixels.
    threads : int
        Of torch.
    is_aside : bool
        Whether sound runs beside it, which goes first.
    clusters : str or None
        A cluster file in the place of the bundle's.
    directions : "pca" or "sefa"
        What the axes of the latent code are.
    """

    settings: PictureSettings = field(default_factory=PictureSettings)
    where: Where = field(default_factory=Where)
    seeds: tuple[int, ...] = (0,)
    pace: float = 0.0
    fps: float = 25.0
    side: int | None = None
    threads: int = 1
    is_aside: bool = False
    clusters: str | None = None
    directions: str = "pca"


@dataclass(frozen=True)
class Shown:
    """What is wanted to be seen, as a whole: of many only the newest counts.

    Attributes
    ----------
    model : str
    patch : Patch
    bypass : bool
        Unbent pictures.
    fade : Fade or None
    sound : Side or None
        The network that the patch is for, where it is one of sound.
    """

    model: str
    patch: Patch = field(default_factory=Patch)
    bypass: bool = False
    fade: Fade | None = None
    sound: Side | None = None


@dataclass(frozen=True)
class Heard:
    """The sound beside the pictures: its position in seconds, and its level in dB of full scale."""

    seconds: float
    level_db: float


@dataclass(frozen=True)
class Ready:
    """Pictures are there: at this address, of this size."""

    url: str
    port: int
    model: str
    height: int
    width: int


@dataclass(frozen=True)
class Figures:
    """How pictures are doing: in a second, milliseconds for one, and who looks at them."""

    fps: float = 0.0
    paint_ms: float = 0.0
    viewers: int = 0
    painted: int = 0
