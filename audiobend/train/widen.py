"""Begin from a trained model: the same width to go on with other sound, or wider without unlearning anything.

Widening keeps the function (Net2Net, Chen, Goodfellow and Shlens 2016): every feature gets twins, and what reads
them shares its weight among the twins. The shares are drawn at random, so that twins learn different things.
"""

import copy

import torch
from torch import Tensor

from audiobend.errors import TrainingError
from audiobend.networks.spectrogram_vae import SEED_MAP, SpectrogramVAE


@torch.no_grad()
def widened(network: SpectrogramVAE, width: float, seed: int = 0) -> SpectrogramVAE:
    """Return a network that does what ``network`` does, at a whole multiple of its width.

    Examples
    --------
    >>> narrow = SpectrogramVAE(width=0.015625).eval()
    >>> wide = widened(narrow, 0.03125).eval()
    >>> x = torch.randn(2, 1, 128, 513)
    >>> bool(torch.allclose(wide(x), narrow(x), atol=1e-4))
    True
    """
    times = round(width / network.width)
    if times < 1 or abs(times * network.width - width) > 1e-9:
        raise TrainingError(
            f"--width must be a whole multiple of the first model's {network.width:g}, got {width:g}; "
            f"try {max(1, times) * network.width:g}"
        )
    if times == 1:
        return copy.deepcopy(network)
    random = torch.Generator().manual_seed(seed)
    wide = SpectrogramVAE(width, network.n_latent, network.activation, network.output)
    sizes = {name: value.shape for name, value in wide.state_dict().items()}
    tensors = network.state_dict().items()
    wide.load_state_dict({name: _grown(name, value, sizes[name], times, random) for name, value in tensors})
    return wide


def _grown(name: str, value: Tensor, size: torch.Size, times: int, random: torch.Generator) -> Tensor:
    """Repeat a tensor along each side that grew; along the inputs, the copies share the weight."""
    if value.shape == size:
        return value
    if value.dim() == 1:
        return value.repeat(times)
    if value.dim() == 2:    # dense: the inputs of the heads are maps laid flat
        return value.repeat(times, 1) if size[0] > value.shape[0] else _shared_heads(value, times, random)
    inputs, outputs = (0, 1) if name.startswith("decoder") else (1, 0)
    if size[outputs] > value.shape[outputs]:
        value = torch.cat([value] * times, outputs)
    return _shared(value, inputs, times, random) if size[inputs] > value.shape[inputs] else value


def _shared_heads(value: Tensor, times: int, random: torch.Generator) -> Tensor:
    return _shared(value.unflatten(1, (-1, *SEED_MAP)), 1, times, random).flatten(1)


def _shared(kernel: Tensor, dim: int, times: int, random: torch.Generator) -> Tensor:
    """Repeat along the inputs; the copies' random shares of each weight add up to one."""
    shares = torch.rand(times, *kernel.shape, generator=random) + 0.5
    shares /= shares.sum(0, keepdim=True)
    return torch.cat([kernel * share for share in shares], dim)
