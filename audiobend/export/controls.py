"""What can be turned in an exported file: parameters of a patch, under names that any host takes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audiobend.bending import Param, Patch, Plan
from audiobend.bending.bend import OUTPUT_SWITCHES
from audiobend.bending.modulation import MODULATION_PARAMS, OFF
from audiobend.bending.movement import canonical, is_movement, moved_by
from audiobend.errors import PatchError, did_you_mean
from audiobend.export.bends import fixed_params
from audiobend.export.slots import SWITCH

_MOVEMENT = {"rate": "rate_hz", "depth": "depth", "phase": "phase"}


@dataclass(frozen=True)
class Control:
    """One number that is turned while a file runs.

    Attributes
    ----------
    target : str
        As in a patch: ``fog/radius``, ``fog/on``, ``output/mix``, ``latent/3/offset``, ``fog/radius/lfo/rate``.
    attribute : str
        The same as a name that hosts take: ``fog_radius``.
    param : Param
        Its range.
    value : float
        What the patch says.
    """

    target: str
    attribute: str
    param: Param
    value: float

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers only."""
        return self.param.integer

    def facts(self) -> dict[str, Any]:
        """Return what a file says of it."""
        return {
            "target": self.target,
            "attribute": self.attribute,
            "low": self.param.low,
            "high": self.param.high,
            "value": self.value,
            "unit": self.param.unit,
            "whole": self.whole,
        }


def attribute_name(target: str) -> str:
    """Return a target as a word of letters, digits and underscores that does not begin with a digit.

    >>> attribute_name("fog/radius"), attribute_name("3-erode/mix")
    ('fog_radius', 'bend_3_erode_mix')
    """
    word = re.sub(r"[^0-9A-Za-z_]", "_", target)
    return f"bend_{word}" if word[:1].isdigit() else word


def control(patch: Patch, target: str) -> Control:
    """Return one control; `PatchError` where the patch has no such number."""
    param = _param(patch, target)
    name = _canonical(patch, target)
    return Control(name, attribute_name(name), param, float(patch.get(name)))


def parse_controls(patch: Patch, text: str) -> tuple[Control, ...]:
    """Return the controls of a list such as ``"fog/radius,dust/mix"``.

    >>> parse_controls(Patch().add(3, "erode", id="fog"), "fog/radius, output/mix")[0].attribute
    'fog_radius'
    """
    targets = [word.strip() for word in text.split(",") if word.strip()]
    return named_apart([control(patch, target) for target in dict.fromkeys(targets)])


def named_apart(controls: Sequence[Control]) -> tuple[Control, ...]:
    """Return controls; `PatchError` where two of them would have one name in the file."""
    seen: dict[str, str] = {}
    for one in controls:
        before = seen.setdefault(one.attribute, one.target)
        if before != one.target:
            raise PatchError(
                f"controls: {before} and {one.target} would both be called '{one.attribute}' in the file; "
                "give one of the bends another id"
            )
    return tuple({one.target: one for one in controls}.values())


def every_control(patch: Patch, plan: Plan) -> tuple[Control, ...]:
    """Return all that can be turned: of every bend the switch, the mix and the parameters; latent axes; the output."""
    targets = []
    for bend in patch.bends:
        step = next((one for steps in plan.steps.values() for one in steps if one.bend.id == bend.id), None)
        if step is not None:
            fixed = fixed_params(step)
            names = ["on", "mix", *(param.name for param in step.entry.params if param.name not in fixed)]
            targets += [f"{bend.id}/{name}" for name in names]
    for one in patch.latent:
        if "axis" in one.params and one.params["axis"] >= 0 and one.op != "invert":
            targets.append(f"latent/{one.params['axis']}/{one.op}")
    targets += [f"output/{name}" for name in ("mix", "detail", "gain_db")]
    return named_apart([control(patch, target) for target in dict.fromkeys(targets)])


def check_controls(plan: Plan, controls: Sequence[Control]) -> None:
    """Refuse, by name, transforms that cannot be exported and parameters that have a fixed value in a file."""
    fixed: dict[str, str] = {}
    for steps in plan.steps.values():
        for step in steps:
            fixed |= {f"{step.bend.id}/{name}": step.entry.name for name in fixed_params(step)}
    for one in controls:
        if one.target in fixed:
            raise PatchError(
                f"controls: {one.target}: {fixed[one.target]} of the profile zheng2022 is exported with the value that "
                f"the patch gives it and cannot be turned; {one.target.partition('/')[0]}/mix can"
            )
        _check_audible(plan, one)


def _check_audible(plan: Plan, one: Control) -> None:
    owner = one.target.partition("/")[0]
    if owner in ("output", "latent"):
        return
    known = {step.bend.id for steps in plan.steps.values() for step in steps}
    if owner not in known:
        raise PatchError(
            f"controls: {one.target}: the bend is off or has no features, so the file leaves it out; "
            f"add {owner}/on to the controls, or switch it on in the patch"
        )


def _canonical(patch: Patch, target: str) -> str:
    if is_movement(target):
        owner, part = canonical(patch, moved_by(target)), target.rpartition("/")[2]
        return f"{owner}/lfo/{part}"
    owner, _, name = target.partition("/")
    if owner in ("output", "latent") or name in ("on", "mix"):
        return target
    return canonical(patch, target)


def _param(patch: Patch, target: str) -> Param:
    owner, _, name = target.partition("/")
    if is_movement(target):
        return _of_movement(patch, target)
    if owner == "output" and name in OUTPUT_SWITCHES:
        return SWITCH
    if owner == "latent" and not any(target == f"latent/{one.params.get('axis')}/{one.op}" for one in patch.latent):
        raise PatchError(f"controls: {target}: the patch has no such entry under latent")
    if name == "on":
        patch.bend(owner)
        return SWITCH
    if name in ("features", "layer") or target == "seed":
        raise PatchError(f"controls: {target} is drawn when the file is made and cannot be turned in it")
    return patch.param(target)


def _of_movement(patch: Patch, target: str) -> Param:
    part = target.rpartition("/")[2]
    if part not in _MOVEMENT:
        raise PatchError(f"controls: {target} needs /rate, /depth or /phase behind it{did_you_mean(part, _MOVEMENT)}")
    moved = canonical(patch, moved_by(target))
    if not any(canonical(patch, one.target) == moved and one.lfo != OFF for one in patch.modulation):
        raise PatchError(f"controls: {target}: nothing in the patch moves {moved}")
    return MODULATION_PARAMS[_MOVEMENT[part]]
