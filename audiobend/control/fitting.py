"""Whether a patch fits the model that sounds, and what of it does."""

import warnings

from audiobend.bending import Patch, resolve
from audiobend.control.state import Context
from audiobend.errors import AudiobendError, ControlError

MAX_BENDS = 128


def check_fits(patch: Patch, context: Context) -> None:
    """Raise `AudiobendError` where a patch does not fit the model, with the entry and what would be right."""
    if len(patch.bends) > MAX_BENDS:
        raise ControlError(f"a patch may have {MAX_BENDS} bends while it is played, got {len(patch.bends)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")    # of empty clusters: they were told when the patch was read
        resolve(patch, context.layers, context.clusters, axes=context.n_axes or None)


def check_axis(target: str, context: Context) -> None:
    """Raise `ControlError` where ``latent/<axis>/<op>`` names an axis that the model has not."""
    axis = target.split("/")[1]
    if axis.isascii() and axis.isdigit() and int(axis[:9]) >= context.n_axes:
        raise ControlError(f"{target}: the axis must be in 0..{context.n_axes - 1} for this model")


def fitting(patch: Patch, context: Context) -> Patch:
    """Return the patch without the entries that do not fit the model."""
    empty = Patch(patch.name, patch.seed, patch.profile, output=patch.output)
    bends = tuple(one for one in patch.bends if _fits(empty.replace(bends=(one,)), context))
    latent = tuple(one for one in patch.latent if _fits(empty.replace(latent=(one,)), context))
    kept = empty.replace(bends=bends[:MAX_BENDS], latent=latent)
    moving = tuple(one for one in patch.modulation if _fits(kept.replace(modulation=(one,)), context))
    layers = {layer.name for layer in context.layers}
    weights = tuple(one for one in patch.weights if one.layer in layers)
    bound = tuple(one for one in patch.macros if _fits(kept.replace(macros=(one,)), context))
    return kept.replace(modulation=moving, weights=weights, macros=bound)


def _fits(patch: Patch, context: Context) -> bool:
    try:
        check_fits(patch, context)
    except AudiobendError:
        return False
    return True
