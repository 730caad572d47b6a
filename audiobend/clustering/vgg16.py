"""VGG16 up to its layer fc2 (Simonyan and Zisserman, 2015, configuration D), from weights that the user brings."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from audiobend.errors import ClusteringError
from audiobend.io.files import check_readable

SIDE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, which the published weights expect to be taken off and divided by."""
CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Their places in ``features`` of the usual state dict."""
POOLED = (2, 7, 14, 21, 28)
"""A 2 x 2 max pool follows these."""
NAMES = (*(f"features.{i}" for i in CONVOLUTIONS), "classifier.0", "classifier.3")
INPUTS = "three channels in, 7 x 7 maps before classifier.0"


class VGG16:
    """Pictures ``(batch, 3, 224, 224)`` in 0..1 to what layer fc2 says of them, ``(batch, 4096)``.

    Parameters
    ----------
    weights : mapping of str to Tensor
        The usual state dict: ``features.0.weight`` .. ``classifier.3.bias``; others are passed over. The numbers of
        features are the weights' own, so a narrower network of the same plan works too.

    Raises
    ------
    ClusteringError
        If a tensor is missing, or two do not fit each other.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self._layers = {name: (_tensor(weights, f"{name}.weight"), _tensor(weights, f"{name}.bias")) for name in NAMES}
        try:
            self(torch.zeros(1, 3, SIDE, SIDE))
        except RuntimeError:
            raise ClusteringError(f"the weights are not those of a VGG16 ({INPUTS})") from None

    def convolution(self, index: int) -> tuple[Tensor, Tensor]:
        """Return weight and bias of a convolution, by its place in ``features``."""
        return self._layers[f"features.{index}"]

    @torch.inference_mode()
    def __call__(self, pictures: Tensor) -> Tensor:
        x = (pictures - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
        for index in CONVOLUTIONS:
            x = F.relu(F.conv2d(x, *self._layers[f"features.{index}"], padding=1))
            if index in POOLED:
                x = F.max_pool2d(x, 2)
        x = F.relu(F.linear(x.flatten(1), *self._layers["classifier.0"]))
        return F.relu(F.linear(x, *self._layers["classifier.3"]))


def load_vgg16(path: Path) -> VGG16:
    """Read a state dict of VGG16 from a ``.pth`` (tensors only, nothing in it is run) or a safetensors file."""
    check_readable(path, ClusteringError)
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, SafetensorError, EOFError, ValueError, OSError, LookupError,
            TypeError, AttributeError):    # fmt: skip
        raise ClusteringError(f"{path}: cannot be read as the weights of a VGG16; it must hold tensors only") from None
    try:
        return VGG16(weights if isinstance(weights, Mapping) else {})
    except ClusteringError as error:
        raise ClusteringError(f"{path}: {error}") from None


def _tensor(weights: Mapping[str, Tensor], name: str) -> Tensor:
    tensor = weights.get(name)
    if not isinstance(tensor, Tensor) or tensor.dim() not in (1, 2, 4):
        raise ClusteringError(f"the weights are not those of a VGG16: {name} is missing")
    return tensor.float()
