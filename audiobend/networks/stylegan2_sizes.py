"""The sizes of a StyleGAN2 generator: everything that its file does not say and its weights do."""

from dataclasses import dataclass

from audiobend.errors import ModelError

MAX_SIDE = 4096


@dataclass(frozen=True)
class Architecture:
    """The sizes of a generator.

    Attributes
    ----------
    features : tuple of int
        How many at each size, from the constant's upwards; each size doubles the one before.
    base : (int, int)
        Height and width of the constant; 4 by 4 but for pictures that are not square.
    n_latent, n_style : int
        Length of z and of w.
    n_mapping : int
        Layers of the mapping network.
    n_classes : int
        0 for a model without classes.
    """

    features: tuple[int, ...]
    base: tuple[int, int] = (4, 4)
    n_latent: int = 512
    n_style: int = 512
    n_mapping: int = 8
    n_classes: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        object.__setattr__(self, "base", tuple(self.base))
        counts = (self.n_latent, self.n_style, self.n_mapping, *self.features, *self.base)
        rule = "needs two sizes or more, with 1..8192 features each, codes of 1..8192 numbers"
        whole = all(type(count) is int and 0 < count <= 8192 for count in counts)
        if not whole or len(self.features) < 2 or len(self.base) != 2 or not 0 <= self.n_classes <= 100000:
            raise ModelError(f"a StyleGAN2 generator {rule}, got {self}")
        if max(self.size) > MAX_SIDE or self.n_mapping > 64:
            raise ModelError(f"pictures can be {MAX_SIDE} pixels wide or high, this model's are {self.size}")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its pictures."""
        factor = 2 ** (len(self.features) - 1)
        return self.base[0] * factor, self.base[1] * factor

    @property
    def n_levels(self) -> int:
        """How many styles a picture takes: 18 at 1024 pixels."""
        return 2 * len(self.features)

    @property
    def n_layers(self) -> int:
        """How many convolutions: 17 at 1024 pixels."""
        return self.n_levels - 1

    def map_size(self, layer: int) -> tuple[int, int]:
        """Height and width of a layer's maps."""
        factor = 2 ** ((layer + 1) // 2)
        return self.base[0] * factor, self.base[1] * factor


def standard_features(size: int, multiplier: int = 2, most: int = 512) -> tuple[int, ...]:
    """Return the published counts for square pictures (config F: multiplier 2; at 256 pixels and below often 1).

    >>> standard_features(64), standard_features(1024)[-3:]
    ((512, 512, 512, 512, 512), (128, 64, 32))
    """
    sides = [4 * 2**power for power in range(size.bit_length() - 2)]
    return tuple(min(most, 16384 * multiplier // side) for side in sides)
