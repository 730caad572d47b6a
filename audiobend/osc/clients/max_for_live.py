"""A device for Max for Live: `live_device`. Eight slots of which each plays any number of any place, and the whole.

A slot has a menu of all places, a menu of all numbers, a switch and a dial; Live saves and automates each of them. The
sound passes through unchanged: audiobend's sound comes from audiobend.
"""

import struct

from audiobend.osc.clients.max import connect, fixed, hear, moving, press
from audiobend.osc.clients.max_patcher import Patcher, written
from audiobend.osc.clients.surface import ANSWER_PORT, Control, Surface
from audiobend.osc.encode import ROOT

SLOTS = 8
_SLOT = 96.0
_AUDIO_EFFECT = b"aaaa"


def live_device(surface: Surface, answer_port: int = ANSWER_PORT) -> bytes:
    """Return an ``.amxd`` file; answers are expected at ``answer_port``."""
    return amxd(device_patcher(surface, answer_port))


def amxd(patcher: dict[str, object]) -> bytes:
    """Return a patcher in the container of a device: chunks of a name, a size (little endian) and that many bytes."""
    text = written(patcher).encode() + b"\0"
    head = b"ampf" + struct.pack("<I", 4) + _AUDIO_EFFECT
    return head + b"meta" + struct.pack("<II", 4, 0) + b"ptch" + struct.pack("<I", len(text)) + text


def device_patcher(surface: Surface, answer_port: int = ANSWER_PORT) -> dict[str, object]:
    """Return what is inside the device."""
    patcher = Patcher(0, 169, "---audiobend.out")    # Live fills in what tells two devices apart
    numbers = [one for section in surface.transforms for one in section.controls if one.kind == "number" and one.share]
    menus = [menu for n in range(SLOTS) for menu in _slot(patcher, surface, numbers, n)]
    width = _whole(patcher, surface)
    patcher.resize(width)
    begin = patcher.obj("live.thisdevice")
    connect(patcher, surface, answer_port, [], begin)
    for menu in menus:    # Live has restored them by then; a bang lets them say what they are
        patcher.chain(begin, menu)
    hear(patcher, answer_port)
    sound_in, sound_out = patcher.obj("plugin~"), patcher.obj("plugout~")
    for channel in (0, 1):
        patcher.cord(sound_in, channel, sound_out, channel)
    banks: dict[str, object] = {"parameterbanks": {}, "inherited_shortname": 1}
    return patcher.data(
        devicewidth=float(width),
        parameters=patcher.parameters | banks,
        project={"version": 1, "amxdtype": int.from_bytes(_AUDIO_EFFECT, "big"), "readonly": 0},
    )


def _slot(patcher: Patcher, surface: Surface, numbers: list[Control], n: int) -> list[str]:
    """Add one slot; return its menus."""
    x, name = 6.0 + _SLOT * n, f"Slot {n + 1}"
    labels = [one.label for one in surface.places]
    what = [f"{one.path.partition('/')[0]} {one.name}" for one in numbers]
    where = patcher.parameter("live.menu", (x, 8.0, 88.0, 15.0), f"{name} Where", "Where", **_choice(labels))
    which = patcher.parameter("live.menu", (x, 28.0, 88.0, 15.0), f"{name} What", "What", **_choice(what))
    on = patcher.parameter("live.toggle", (x, 50.0, 15.0, 15.0), f"{name} On", "On", type=2, enum=["off", "on"], mmax=1)
    dial = patcher.parameter("live.dial", (x + 24.0, 50.0, 44.0, 48.0), f"{name} Amount", "Amount", type=0,
                             mmin=0.0, mmax=1.0, unitstyle=1)
    paths = patcher.menu([one.path for one in surface.places])
    patcher.chain(where, paths)
    shares = [one.share for one in numbers]
    transforms = [one.path.partition("/")[0] for one in numbers]
    for control, ends in ((dial, shares), (on, transforms)):
        end, both = patcher.menu(ends), patcher.obj("pak s s")
        patcher.chain(which, end)
        patcher.cord(paths, 1, both, 0)
        patcher.cord(end, 1, both, 1)
        named = patcher.chain(both, patcher.obj(f"sprintf set {ROOT}/%s/%s"))
        moving(patcher, f"{ROOT}/{surface.places[0].path}/{ends[0]}", named, control)
    return [where, which]


def _choice(items: list[str]) -> dict[str, object]:
    return {"type": 2, "enum": items, "mmax": len(items) - 1, "initial_enable": 1, "initial": [0]}


def _whole(patcher: Patcher, surface: Surface) -> int:
    """Add what belongs to the whole sound, in columns: dials, then switches and buttons; return the width of it all."""
    left = 16.0 + _SLOT * SLOTS
    controls = [one for section in surface.whole for one in section.controls]
    dials = [one for one in controls if one.kind == "number" and one.share]
    presses = [one for one in controls if one.kind in ("switch", "button")]
    for n, one in enumerate(dials):
        at = (left + 56.0 * (n // 3), 4.0 + 54.0 * (n % 3), 48.0, 48.0)
        about: dict[str, object] = {"type": 0, "mmin": one.low, "mmax": one.high, "unitstyle": 1}
        start = {"initial_enable": 1, "initial": [one.default]}
        box = patcher.parameter("live.dial", at, _title(one), one.name.title(), **about, **start)
        fixed(patcher, one.path, box)
    left += 56.0 * -(-len(dials) // 3)
    for n, one in enumerate(presses):
        x, y = left + 90.0 * (n // 7), 6.0 + 22.0 * (n % 7)
        patcher.words(_title(one), x + 18.0, y, 70.0, 9.0, live=True)
        at = (x, y, 15.0, 15.0)
        shown: dict[str, object] = {"type": 2, "enum": ["off", "on"], "mmax": 1}
        if one.kind == "button":
            press(patcher, one.path, patcher.parameter("live.button", at, _title(one), one.name, **shown))
        else:
            start = {"initial_enable": 1, "initial": [one.default]}
            fixed(patcher, one.path, patcher.parameter("live.toggle", at, _title(one), one.name, **shown, **start))
    return round(left + 90.0 * -(-len(presses) // 7))


def _title(control: Control) -> str:
    return control.path.replace("/", " ").replace("_", " ").title()
