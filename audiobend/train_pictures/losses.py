"""What the two networks of a StyleGAN2 are trained for."""

import torch
import torch.nn.functional as F
from torch import Tensor

from audiobend.train_pictures.critic import Critic


def critic_loss(real: Tensor, painted: Tensor) -> Tensor:
    """Return the critic's logistic loss of verdicts ``(batch,)`` (Goodfellow et al., 2014)."""
    return F.softplus(-real).mean() + F.softplus(painted).mean()


def generator_loss(painted: Tensor) -> Tensor:
    """Return the generator's loss of verdicts ``(batch,)``, the form that does not saturate."""
    return F.softplus(-painted).mean()


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Return half the mean squared length of the critic's gradient at real pictures (Mescheder et al., 2018)."""
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2


def path_lengths(pictures: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
    """Return how far pictures move in a random direction when styles do (Karras et al., 2020, section 3.2).

    Parameters
    ----------
    pictures, noise : Tensor of shape ``(batch, 3, height, width)``
        The pictures were painted from ``styles``; noise has a variance of 1.
    styles : Tensor of shape ``(batch, level, style)``

    Returns
    -------
    Tensor of shape ``(batch,)``
    """
    scale = (pictures.shape[2] * pictures.shape[3]) ** -0.5
    (gradient,) = torch.autograd.grad((pictures * noise * scale).sum(), styles, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()
