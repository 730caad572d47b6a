"""Everything that decides how a picture model is trained."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from audiobend.errors import TrainingError
from audiobend.networks.stylegan2 import Architecture

PRECISIONS = ("32", "bf16")
_RANGES: dict[str, tuple[float, float]] = {
    "n_latent": (1, 8192),
    "n_style": (1, 8192),
    "n_mapping": (1, 64),
    "batch_size": (2, 4096),
    "images": (1, 1e10),
    "minutes": (0.01, 1e6),
    "learning_rate": (1e-7, 1),
    "r1": (0, 1000),
    "r1_every": (1, 10000),
    "path_length": (0, 1000),
    "path_every": (1, 10000),
    "style_mixing": (0, 1),
    "augmentation_target": (0, 1),
    "average_images": (1, 1e9),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class PictureRecipe:
    """Everything that decides how a picture model is trained; kept on its card.

    Attributes
    ----------
    features : tuple of int
        The generator's, at 4 pixels, at 8 and so on: five for pictures of 64 pixels.
    critic_features : tuple of int
        The critic's at the same sizes.
    n_latent, n_style, n_mapping : int
        Of the generator (see `Architecture`).
    batch_size : int
        Pictures in one step.
    images, minutes : number or None
        How long to train: until so many real pictures were shown, or by the clock; exactly one is given.
    learning_rate : float
        Of Adam, for both networks; its averages decay by 0 and 0.99.
    r1 : float
        Weight of the critic's gradient penalty (Mescheder et al., 2018), taken every ``r1_every`` steps.
    path_length : float
        Weight of the generator's path length penalty, taken every ``path_every`` steps.
    style_mixing : float in 0..1
        Share of the pictures that two codes are crossed for.
    augmentation_target : float in 0..1
        How sure the critic may be of real pictures before they are changed more; 0.6 as published, 1 never changes any.
    average_images : float
        Pictures after which the moving average of the weights, which is what is kept, has forgotten half.
    precision : "32" or "bf16"
        Of the convolutions; bf16 is about half as long again as fast on processors that know it.
    seed : int
    """

    features: tuple[int, ...] = (128, 128, 128, 64, 32)
    critic_features: tuple[int, ...] = (128, 128, 96, 48, 24)
    n_latent: int = 128
    n_style: int = 128
    n_mapping: int = 4
    batch_size: int = 16
    images: int | None = None
    minutes: float | None = 70.0
    learning_rate: float = 0.0025
    r1: float = 0.1
    r1_every: int = 16
    path_length: float = 2.0
    path_every: int = 8
    style_mixing: float = 0.5
    augmentation_target: float = 0.6
    average_images: float = 5000.0
    precision: str = "32"
    seed: int = 7

    def __post_init__(self) -> None:
        for name in ("features", "critic_features"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise TrainingError(f"{name} must be in {low:g}..{high:g}, got {value!r}")
        if self.precision not in PRECISIONS:
            raise TrainingError(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")
        if (self.images is None) == (self.minutes is None):
            raise TrainingError(f"give one of images and minutes, got {self.images!r} and {self.minutes!r}")
        if len(self.features) != len(self.critic_features):
            rule = "features and critic_features must be of as many sizes"
            raise TrainingError(f"{rule}, got {len(self.features)} and {len(self.critic_features)}")
        self.architecture()

    def architecture(self) -> Architecture:
        """Return the sizes of the generator."""
        return Architecture(
            self.features, n_latent=self.n_latent, n_style=self.n_style, n_mapping=self.n_mapping
        )

    @property
    def size(self) -> int:
        """Height and width of the pictures."""
        return self.architecture().size[0]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for cards and checkpoints."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return what `as_dict` gave.

        Raises
        ------
        TrainingError
            If a value is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise TrainingError(f"a recipe needs {', '.join(sorted(names))}, got {', '.join(sorted(values))}")
        return cls(**values)
