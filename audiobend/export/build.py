"""A model and a patch become a `Stream`: everything is checked, drawn and laid out here, before anything is written."""

import warnings
from dataclasses import replace

import torch
from torch import nn

from audiobend.bending import Patch, Plan
from audiobend.bending.bend import LatentBend
from audiobend.bending.features import LayerName, stable_key
from audiobend.bending.step import Step
from audiobend.export.controls import Control, check_controls
from audiobend.export.layers import LatentBends, LatentStep, LayerBends, places_of
from audiobend.export.movement import Movement
from audiobend.export.network import BentNetwork
from audiobend.export.slots import Slots
from audiobend.export.stream import Stream
from audiobend.networks.model import Model
from audiobend.networks.stages import N_STAGES
from audiobend.networks.stylegan2_model import PictureModel
from audiobend.spectral.live_settings import LiveSettings
from audiobend.spectral.sliding import WINDOW

OUTPUT = ("mix", "detail", "gain_db", "limiter", "match_level")


def build_stream(
    model: Model, patch: Patch, settings: LiveSettings | None = None, controls: tuple[Control, ...] = ()
) -> tuple[Stream, Slots]:
    """Return the module that an exported file holds, not yet compiled, and where its numbers stand.

    Parameters
    ----------
    controls : what will be turned; bends that are off, and not among them, are left out

    Raises
    ------
    PatchError
        If the patch does not fit the model, or something in it cannot be exported.
    """
    settings = settings or LiveSettings()
    plan = audible(model, patch, controls)
    check_controls(plan, controls)
    slots = Slots()
    for name in OUTPUT:
        slots.add(f"output/{name}", float(getattr(patch.output, name)))
    bends = list(layer_bends(model, plan, slots, patch).values())
    latent = _latent(model, patch, slots)
    movement = Movement(patch, slots, model.codec.sample_rate)
    names = [layer.name for layer in model.network.layers()]
    kernel = min((names.index(one.layer) for one in patch.weights), default=N_STAGES)
    network = BentNetwork(model.network, model.bent_network(patch), kernel, bends, latent, _columns(settings))
    return Stream(model, settings, network, movement, slots).eval(), slots


def compiled(module: nn.Module) -> "torch.jit.ScriptModule":
    """Return a module as `torch.jit.script` compiles it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)    # nn~ and Neutone read this format and no other
        scripted: torch.jit.ScriptModule = torch.jit.script(module)
    return scripted


def audible(model: Model | PictureModel, patch: Patch, controls: tuple[Control, ...]) -> Plan:
    """Return the plan of all bends that may be heard: those that are on, and those that a control can bring in."""
    turned = {control.target for control in controls}
    bends = []
    for bend in patch.bends:
        comes = (bend.on or f"{bend.id}/on" in turned) and (bend.mix > 0 or _moves_mix(patch, bend.id, turned))
        bends.append(replace(bend, on=True, mix=bend.mix or 1.0) if comes else replace(bend, on=False))
    return model.resolve(patch.replace(bends=tuple(bends)))


def _moves_mix(patch: Patch, id: str, turned: set[str]) -> bool:
    return f"{id}/mix" in turned or any(one.target == f"{id}/mix" for one in patch.modulation)


def _columns(settings: LiveSettings) -> range:
    last = WINDOW - settings.look_ahead
    return range(last - settings.stride, last + min(settings.stride, settings.look_ahead))


def layer_bends(
    model: Model | PictureModel, plan: Plan, slots: Slots, patch: Patch
) -> dict[LayerName, LayerBends]:
    """Return what acts behind each of a model's layers; the numbers of the bends get their places."""
    found = {}
    for layer in model.network.layers():
        steps = plan.steps.get(layer.name, ())
        for step in steps:
            _add_step(step, slots, patch)
        found[layer.name] = LayerBends(places_of(steps, layer.n_features, layer.height, layer.width), slots)
    return found


def _add_step(step: Step, slots: Slots, patch: Patch) -> None:
    bend = patch.bend(step.bend.id)
    slots.add(f"{bend.id}/on", bend.on)
    slots.add(f"{bend.id}/mix", bend.mix)
    for name, value in step.values.items():
        assert not isinstance(value, tuple)
        slots.add(f"{bend.id}/{name}", value)


def _latent(model: Model, patch: Patch, slots: Slots) -> LatentBends:
    return LatentBends([_latent_step(model, patch, index, one, slots) for index, one in enumerate(patch.latent)])


def _latent_step(model: Model, patch: Patch, index: int, one: LatentBend, slots: Slots) -> LatentStep:
    name = next((name for name in ("amount", "factor", "sigma") if name in one.params), None)
    slot = -1
    if name is not None:
        target = f"latent/{one.params.get('axis', index)}/{one.op}"
        slot = slots.add(target if target not in slots.where else f"{target}-{index}", float(one.params[name]))
    seed = stable_key(patch.seed, "latent", index) >> 32
    return LatentStep(one, model.latent_axes, seed, slot)
