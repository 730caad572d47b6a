"""A take as a timeline: when each change of a performance was heard, so that it can be rendered at any quality."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from audiobend.bending import Output, Patch, Plan
from audiobend.control import Context, Fade, State, morph
from audiobend.control.fading import retouched
from audiobend.errors import TakeError
from audiobend.io.takefile import Began, Skipped, Take
from audiobend.networks.model import Model
from audiobend.spectral.guard import BYPASS_HOPS, LIMITER_DELAY, bypass_hops
from audiobend.spectral.live_settings import LiveSettings
from audiobend.spectral.stft import HOP_LENGTH, N_FFT
from audiobend.takes import Moment, unfold
from audiobend.timeline import Timeline, curves_of, straight, turned


def timeline(take: Take, model: Model) -> Timeline:
    """Return what a take lets be heard, aligned with its sound.

    What was turned is heard where the performer heard it: the delay of the engine counts, and its stride.

    Raises
    ------
    TakeError
        Where the take plays other models, or does not fit this one.
    """
    head, rate = take.head, model.codec.sample_rate
    context = Context.of_model(model)
    events = list(unfold(take, lambda name: _only(name, head.model, context)))
    began = next((event.sample for event in events if isinstance(event, Began)), 0) / head.sample_rate
    start = State(head.patch, bypass=head.bypass, model=head.model)
    counted = list(_counted(events, start, began, head.sample_rate, rate))
    return _drawn(counted, model, head.settings, -began)


def _only(name: str, model: str, context: Context) -> Context:
    if name != model:
        raise TakeError(f"this take plays the model {name} as well; render it with --quality live")
    return context


@dataclass(frozen=True)
class _Turn:
    """A state that is wanted after so many hops of the engine; the last of those that come between two hops."""

    hop: int
    state: State


def _counted(
    events: list[Moment | Began | Skipped], start: State, began: float, card_rate: int, rate: int
) -> Iterator[_Turn]:
    """Yield states with the hops that the engine has done, as if it had never been late; the first at hop 0."""
    last = _Turn(0, start)
    for event in events:
        if not isinstance(event, Moment):
            continue
        hop = max(0, int((event.sample / card_rate - began) * rate) // HOP_LENGTH)
        if hop != last.hop and event.state.fade == last.state.fade:
            yield last
        elif event.state.fade != last.state.fade:
            yield last    # a fade comes from what was wanted before it, be it in the same hop
        last = _Turn(hop, event.state)
    yield last


@dataclass(frozen=True)
class _Heard:
    """A patch that the engine works by from a hop on."""

    hop: int
    patch: Patch


def _heard(turns: list[_Turn], stride: int, model: Model) -> Iterator[_Heard]:
    """Yield what is worked by, with a patch for each stride of a fade."""
    layers, sample_rate = model.network.layers(), model.codec.sample_rate
    yield _Heard(0, turns[0].state.heard)
    fade: tuple[Fade, Patch, int] | None = None
    now = turns[0].state.heard
    for index, (before, turn) in enumerate(pairwise(turns), 1):
        patch, wanted = turn.state.heard, turn.state.fade
        if wanted is None:
            fade = None
        elif wanted != before.state.fade:
            fade = (wanted, now, turn.hop)
        elif fade is not None:
            fade = (fade[0], retouched(fade[1], before.state.heard, patch), fade[2])
        if fade is None:
            now = patch
            yield _Heard(turn.hop + 1, patch)
            continue
        until = turns[index + 1].hop if index + 1 < len(turns) else None
        length = max(1, round(fade[0].seconds * sample_rate / HOP_LENGTH))
        hop = (turn.hop // stride + 1) * stride
        while fade is not None and (until is None or hop <= until):
            share = min(1.0, (hop - fade[2]) / length)
            now = morph(fade[1], patch, share, layers)
            yield _Heard(hop, now)
            hop += stride
            fade = fade if share < 1 else None


def _drawn(turns: list[_Turn], model: Model, settings: LiveSettings, offset: float) -> Timeline:
    """Return the timeline of what was heard; ``offset`` are the seconds that the engine ran before the sound began."""
    rate, stride = model.codec.sample_rate, settings.stride
    before = offset * rate    # samples of the engine at the first of the sound
    plans, values = list[Plan](), list[Plan]()
    columns, samples = list[int](), list[int]()
    output = turns[0].state.heard.output
    lines = {name: straight(getattr(output, name)) for name in ("mix", "gain_db", "detail")}
    lines["bypass"] = straight(float(turns[0].state.bypass))
    ramp, n_fade = BYPASS_HOPS * HOP_LENGTH, min(stride, settings.look_ahead)
    last: Patch | None = None
    for heard in _heard(turns, stride, model):
        at_stride = -(-heard.hop // stride) * stride
        column = round(at_stride - N_FFT // HOP_LENGTH // 2 - settings.look_ahead - stride + 1 - before / HOP_LENGTH)
        sample = round(heard.hop * HOP_LENGTH + LIMITER_DELAY - settings.latency - before)
        bends = heard.patch.replace(output=Output(), macros=())
        if last is None or bends != last:
            plan = model.resolve(heard.patch)
            if columns and columns[-1] == column:
                plans.pop(), columns.pop()
            plans.append(plan)
            columns.append(column)
            last = bends
        values.append(replace(plan, patch=heard.patch))
        samples.append(sample)
        for name in ("mix", "gain_db"):
            turned(lines[name], sample, getattr(heard.patch.output, name), ramp)
        turned(lines["detail"], column, heard.patch.output.detail, n_fade)
    for turn in turns:
        sample = round((turn.hop + 1) * HOP_LENGTH - settings.latency - before)
        turned(lines["bypass"], sample, float(turn.state.bypass), bypass_hops(stride) * HOP_LENGTH)
    return Timeline(plans, columns, n_fade, values, samples, curves_of(lines), rate, offset)
