"""The spectrogram variational autoencoder of Broad, Leymarie and Grierson (Entropy 2022, section 3.2 and Table 1).

Activation maps are (time, frequency). The published table's paddings do not give its own map sizes; the ones here
are the only ones that do.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from audiobend.networks.bendable import LayerSpec

WINDOW = 128
"""Columns that the network sees at once."""
N_BINS = 513

ENCODER_FEATURES = (64, 128, 256, 512, 512)
# features, kernel, stride, padding (time, frequency)
DECODER = (
    (512, (5, 5), (1, 2), (0, 2)),
    (256, (3, 5), (2, 2), (0, 2)),
    (128, (4, 5), (2, 2), (2, 2)),
    (64, (4, 5), (2, 2), (1, 2)),
    (1, (4, 5), (2, 2), (1, 2)),
)
ENCODER_MAPS = ((64, 257), (32, 129), (16, 65), (8, 33), (4, 17))
DECODER_MAPS = ((8, 33), (17, 65), (32, 129), (64, 257), (128, 513))
SEED_MAP = (4, 17)

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.2, inplace=True),
}
OUTPUTS = ("linear", "tanh")


class SpectrogramVAE(nn.Module):
    """Normalised spectrogram windows to a latent code and back.

    Parameters
    ----------
    width : float > 0
        Multiplies every feature count; 1.0 is the paper's network, 0.25 runs on a laptop.
    n_latent : int > 0
        Size of the latent code.
    activation : "relu" or "leaky_relu"
        The paper's is ReLU; leaky ReLU with slope 0.2 trains a little better.
    output : "linear" or "tanh"
        The paper's last layer ends in batch norm and tanh, for decibels of -1..1; a linear one trains far better.

    Examples
    --------
    >>> vae = SpectrogramVAE(width=0.0625).eval()
    >>> mean, log_variance = vae.encode(torch.zeros(2, 1, 128, 513))
    >>> list(mean.shape), list(vae.decode(mean).shape)
    ([2, 512], [2, 1, 128, 513])
    """

    def __init__(
        self, width: float = 1.0, n_latent: int = 512, activation: str = "relu", output: str = "linear"
    ) -> None:
        super().__init__()
        self.width, self.n_latent, self.activation, self.output = width, n_latent, activation, output
        counts = [self._scaled(n) for n in ENCODER_FEATURES]
        self.encoder = nn.ModuleList(
            self._block(nn.Conv2d(before, after, 5, 2, padding=2), after)
            for before, after in zip([1, *counts], counts, strict=False)
        )
        n_flat = counts[-1] * SEED_MAP[0] * SEED_MAP[1]
        self.mean = nn.Linear(n_flat, n_latent)
        self.log_variance = nn.Linear(n_flat, n_latent)
        self.code = nn.Identity()    # where the latent is bent
        self.expand = nn.Linear(n_latent, self._scaled(512) * SEED_MAP[0] * SEED_MAP[1])
        self.decoder = nn.ModuleList(self._decoder_blocks())
        with torch.no_grad():    # start nearly deterministic: the noise must not drown the code before there is one
            self.log_variance.weight.mul_(0.1)
            self.log_variance.bias.fill_(-6.0)

    def _scaled(self, n_features: int) -> int:
        return 1 if n_features == 1 else max(1, round(n_features * self.width))

    def _block(self, convolution: nn.Module, n_features: int) -> nn.Sequential:
        return nn.Sequential(convolution, nn.BatchNorm2d(n_features), ACTIVATIONS[self.activation]())

    def _decoder_blocks(self) -> list[nn.Sequential]:
        blocks: list[nn.Sequential] = []
        before = self._scaled(512)
        for n_features, kernel, stride, padding in DECODER:
            after = self._scaled(n_features)
            convolution = nn.ConvTranspose2d(before, after, kernel, stride, padding)
            last = len(blocks) == len(DECODER) - 1
            blocks.append(self._last_block(convolution) if last else self._block(convolution, after))
            before = after
        return blocks

    def _last_block(self, convolution: nn.Module) -> nn.Sequential:
        # Linear where one may choose: an output squashed into a range trains far worse in the quiet bins.
        squashed = (nn.BatchNorm2d(1), nn.Tanh()) if self.output == "tanh" else ()
        return nn.Sequential(convolution, *squashed)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance ``(batch, latent)`` of windows ``(batch, 1, 128, 513)``."""
        flat = self._features(x)
        return self.mean(flat), self.log_variance(flat)

    def encode_mean(self, x: Tensor) -> Tensor:
        """Return the mean code alone (all that sound needs)."""
        code: Tensor = self.mean(self._features(x))
        return code

    def _features(self, x: Tensor) -> Tensor:
        for layer in self.encoder:
            x = layer(x)
        return x.flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        """Return windows ``(batch, 1, 128, 513)`` of codes ``(batch, latent)``."""
        x: Tensor = self.expand(self.code(z)).unflatten(1, (-1, *SEED_MAP))
        if x.device.type == "cpu":
            x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.decoder:
            x = layer(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct windows through the mean code."""
        return self.decode(self.encode_mean(x))

    def layers(self) -> tuple[LayerSpec, ...]:
        """Encoder e1..e5, the latent z, decoder 1..5."""
        encoder = [
            LayerSpec(f"e{i + 1}", f"encoder.{i}", self._scaled(n), *shape)
            for i, (n, shape) in enumerate(zip(ENCODER_FEATURES, ENCODER_MAPS, strict=True))
        ]
        latent = LayerSpec("z", "code", self.n_latent, 1, 1)
        decoder = [
            LayerSpec(i + 1, f"decoder.{i}", self._scaled(layer[0]), *shape)
            for i, (layer, shape) in enumerate(zip(DECODER, DECODER_MAPS, strict=True))
        ]
        return (*encoder, latent, *decoder)


def for_inference(vae: SpectrogramVAE) -> SpectrogramVAE:
    """Return an equal network that runs about twice as fast: batch norm folded into the convolutions, channels last.

    Batch norm always uses its running statistics here, so folding changes nothing but rounding.
    """
    fast = copy.deepcopy(vae).eval()
    for blocks, transposed in ((fast.encoder, False), (fast.decoder, True)):
        for block in blocks:
            if isinstance(block, nn.Sequential) and len(block) == 3:
                _fold(block, transposed)
    return channels_last(fast.requires_grad_(False))


def _fold(block: nn.Sequential, transposed: bool) -> None:
    convolution, norm = block[0], block[1]
    assert isinstance(convolution, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d)
    block[0] = nn.utils.fusion.fuse_conv_bn_eval(convolution, norm, transpose=transposed)
    block[1] = nn.Identity()


def channels_last(network: SpectrogramVAE) -> SpectrogramVAE:
    """Lay the kernels out so that convolutions on a processor run faster; the numbers stay the same."""
    network.to(memory_format=torch.channels_last)    # type: ignore[call-overload]
    return network
