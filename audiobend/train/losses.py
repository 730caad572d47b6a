"""What training makes small: the error of the spectrogram, and how much the latent code carries."""

import math

from torch import Tensor

LOUDEST_DB = 12.0
"""Louder outputs count as this loud in the linear error, so that one bad bin does not drown everything."""
LARGEST_RELATIVE_ERROR = 4.0
DECIBELS = math.log(10) / 20


def squared_error(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean-square error of normalised windows ``(batch, 1, 128, 513)``."""
    return (y - x).square().mean()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence from the unit normal, in nats, per latent: ``(latent,)``."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(0)


def linear_error(x_db: Tensor, y_db: Tensor) -> Tensor:
    """Return the mean over windows of the squared relative error of linear magnitudes.

    The mean-square error in dB counts quiet bins as much as loud ones; this one hears the loud ones.
    """
    x, y = ((db.clamp(max=LOUDEST_DB) * DECIBELS).exp() for db in (x_db, y_db))
    error = (x - y).square().sum((1, 2, 3)) / x.square().sum((1, 2, 3)).clamp(min=1e-6)
    return error.clamp(max=LARGEST_RELATIVE_ERROR).mean()
