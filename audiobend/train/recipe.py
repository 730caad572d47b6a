"""Everything that decides how a model is trained, from defaults, a YAML file and options."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from audiobend.errors import TrainingError, did_you_mean
from audiobend.io.yamlfile import named, read_document
from audiobend.networks.spectrogram_vae import ACTIVATIONS, OUTPUTS
from audiobend.train.windows import Augmentation

LENGTHS = ("minutes", "epochs", "steps")
_WORDS = {"activation": tuple(ACTIVATIONS), "output": OUTPUTS, "optimiser": ("muon", "adam")}
_RANGES: dict[str, tuple[float, float]] = {
    "width": (1 / 64, 4),
    "n_latent": (1, 8192),
    "batch_size": (1, 65536),
    "minutes": (0.01, 1e6),
    "epochs": (0.001, 1e6),
    "steps": (1, 1e9),
    "lr_muon": (0, 1),
    "lr_adam": (0, 1),
    "warm_up_steps": (0, 1e6),
    "final_lr": (0, 1),
    "kl": (0, 1000),
    "linear": (0, 1000),
    "average": (0, 0.999999),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a model is trained; kept on its card.

    Attributes
    ----------
    width, n_latent, activation, output
        Of the network (see `SpectrogramVAE`).
    batch_size : int
        Windows in one step, over all processes together.
    minutes, epochs, steps : number or None
        How long to train; exactly one is given. An epoch is as many windows as the training tracks hold side by side.
    optimiser : "muon" or "adam"
        Muon with norm control for kernels and dense layers and Adam for the rest, or Adam for everything.
    lr_muon, lr_adam : float in 0..1
        Highest learning rates.
    adam_betas : (float, float) in 0..1
        Decay of Adam's two averages; the published training has (0, 0.99).
    warm_up_steps : int
        Steps in which learning rates rise from nothing.
    final_lr : float in 0..1
        Share of the learning rate that a cosine leaves at the end; 1 keeps it as it is.
    kl : float
        Weight of the Kullback-Leibler divergence, per number of a window; reached after a fifth of the training.
    linear : float
        Weight of the relative error of linear magnitudes.
    average : float in 0..1
        Memory of the moving average of the weights; 0 keeps the last weights.
    level_db, mix, tilt_db
        Of the windows (see `Augmentation`).
    seed : int
        Of first weights, windows and noise.
    start_from : str
        Name or folder of a model whose weights training begins with; "" begins with random ones.
    """

    width: float = 0.25
    n_latent: int = 512
    activation: str = "leaky_relu"
    output: str = "linear"
    batch_size: int = 32
    minutes: float | None = 90.0
    epochs: float | None = None
    steps: int | None = None
    optimiser: str = "muon"
    lr_muon: float = 4e-3
    lr_adam: float = 1e-3
    adam_betas: tuple[float, float] = (0.9, 0.99)
    warm_up_steps: int = 50
    final_lr: float = 0.02
    kl: float = 0.05
    linear: float = 0.05
    average: float = 0.995
    level_db: tuple[float, float] = (-12.0, 3.0)
    mix: float = 0.0
    tilt_db: float = 0.0
    seed: int = 0
    start_from: str = ""

    def __post_init__(self) -> None:
        for name, known in _WORDS.items():
            if getattr(self, name) not in known:
                raise TrainingError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise TrainingError(f"{name} must be in {low:g}..{high:g}, got {value:g}")
        if len(self.adam_betas) != 2 or not all(0 <= beta < 1 for beta in self.adam_betas):
            raise TrainingError(f"adam_betas must be two numbers from 0 to less than 1, got {list(self.adam_betas)}")
        if len(self.level_db) != 2:
            raise TrainingError(f"level_db must be a low and a high level, got {list(self.level_db)}")
        assert self.augmentation    # checks its values
        given = [name for name in LENGTHS if getattr(self, name) is not None]
        if len(given) != 1:
            raise TrainingError(f"give one of minutes, epochs and steps, got {' and '.join(given) or 'none'}")

    @property
    def augmentation(self) -> Augmentation:
        """What is changed about windows at random."""
        return Augmentation(self.level_db, self.mix, self.tilt_db)

    def changed(self, values: Mapping[str, Any]) -> "Recipe":
        """Return a recipe with other values; another length takes the place of this one's.

        Raises
        ------
        TrainingError
            If a name is unknown, or a value of the wrong kind or outside its range.

        Examples
        --------
        >>> recipe = Recipe().changed({"epochs": 50, "kl": 0.1})
        >>> recipe.minutes, recipe.epochs, recipe.kl
        (None, 50.0, 0.1)
        """
        if any(values.get(name) is not None for name in LENGTHS):
            values = dict.fromkeys(LENGTHS) | dict(values)
        return Recipe(**asdict(self) | {name: _checked(name, value) for name, value in values.items()})

    def difference(self, other: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
        """Return name, this value and the other of the first entry, lengths aside, that is not the same."""
        for name, value in asdict(self).items():
            there = other.get(name)
            there = tuple(there) if isinstance(there, list) else there
            if name not in LENGTHS and there != value:
                return name, value, there
        return None


_KINDS = {field.name: field.type for field in fields(Recipe)}


def _checked(name: str, value: Any) -> Any:
    if name not in _KINDS:
        raise TrainingError(f"unknown key '{name}'{did_you_mean(name, _KINDS)}")
    kind = str(_KINDS[name])
    if value is None and "None" in kind:
        return None
    if "str" in kind:
        if not isinstance(value, str):
            raise TrainingError(f"{name} must be a word, got {value!r}")
        return value
    if "tuple" in kind:
        if not isinstance(value, list | tuple) or not all(_is_number(one) for one in value):
            raise TrainingError(f"{name} must be a list of numbers, got {value!r}")
        return tuple(float(one) for one in value)
    if not _is_number(value) or ("float" not in kind and value != int(value)):
        raise TrainingError(f"{name} must be a {'' if 'float' in kind else 'whole '}number, got {value!r}")
    return float(value) if "float" in kind else int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def config_folders() -> list[Path]:
    """Return where shipped configurations lie: inside the package, and in the repository beside it."""
    package = Path(__file__).parents[1]
    return [folder for folder in (package / "configs", package.parent / "training" / "configs") if folder.is_dir()]


def find_config(name: str | Path) -> Path:
    """Return the file of a shipped configuration's name, or of a path."""
    shipped = {path.stem: path for folder in config_folders() for path in sorted(folder.glob("*.yaml"))}
    if str(name) in shipped:
        return shipped[str(name)]
    path = Path(name)
    if not path.is_file():
        raise TrainingError(f"{name}: there is no such configuration, nor such a file{did_you_mean(name, shipped)}")
    return path


def load_recipe(name: str | Path) -> Recipe:
    """Read a recipe from YAML: a shipped configuration's name, or a file. What it leaves out has the default.

    Raises
    ------
    TrainingError
        One sentence that begins with the file's name.
    """
    path = find_config(name)
    document = read_document(path, error=TrainingError)

    def read() -> Recipe:
        if not isinstance(document, dict):
            raise TrainingError("needs lines of the form 'width: 0.25'")
        return Recipe().changed({str(key): value for key, value in document.items()})

    return named(path, read, error=TrainingError)
