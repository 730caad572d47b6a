"""Features that are active at the same moments: correlation over time, principal components."""

import numpy as np
from numpy.typing import NDArray

from audiobend.clustering.grouping import Points, principal


def coactivation_points(activity: NDArray[np.float32]) -> Points:
    """Return a point for each feature from how it correlates with every feature.

    Parameters
    ----------
    activity : array of shape ``(feature, time)``
        A feature that never changes correlates with nothing, itself neither.

    Returns
    -------
    array of shape ``(feature, up to 8)``
    """
    moving = activity.astype(np.float64)
    moving -= moving.mean(axis=1, keepdims=True)
    length = np.linalg.norm(moving, axis=1, keepdims=True)
    still = length <= 1e-6 * np.abs(activity).max() * np.sqrt(activity.shape[1])
    unit = np.where(still, 0.0, moving / np.where(still, 1.0, length))
    return principal(unit @ unit.T)
