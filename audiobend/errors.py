"""Every mistake a musician can make, as one sentence they can act on.

A sentence says what is wrong, the rule, the value given, and the nearest right answer. The command line prints it
and exits with status 2; nothing else of the program shows.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class AudiobendError(Exception):
    """Root of all errors that audiobend raises on purpose; its text is one sentence for a musician."""


class TransformError(AudiobendError):
    """An unknown transform, or a parameter outside its range."""


class PatchError(AudiobendError):
    """A patch that cannot be read, or that does not fit the model."""


class ModelError(AudiobendError):
    """A model bundle that is missing, damaged, or of another kind."""


class AudioError(AudiobendError):
    """Sound that cannot be read or written."""


class PictureError(AudiobendError):
    """Pictures, or files of their styles, that cannot be read, made or written."""


class DeviceError(AudiobendError):
    """A sound card or sound system that is missing, gone, or cannot do what is asked."""


class ControlError(AudiobendError):
    """A live change that cannot be made, or a control message that cannot be understood."""


class TakeError(AudiobendError):
    """A recorded performance, or a session's folder, that cannot be read or written, or does not fit."""


class TrainingError(AudiobendError):
    """Training that cannot start or go on."""


class ClusteringError(AudiobendError):
    """Features that cannot be put into clusters as asked."""


class PluginError(AudiobendError):
    """A plugin that cannot be built or put where hosts look."""


def did_you_mean(given: object, known: Iterable[object]) -> str:
    """Return ``"; did you mean 'x'?"``, or a list of what exists when nothing is near.

    >>> did_you_mean("erodd", ["erode", "dilate"])
    "; did you mean 'erode'?"
    >>> did_you_mean("qqq", ["erode", "dilate"])
    '; there are: erode, dilate'
    """
    names = [str(name) for name in known]
    near = get_close_matches(str(given), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; there are: {', '.join(names)}" if names else ""
