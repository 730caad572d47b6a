"""Patches of Pure Data and Max that lie beside an exported file: sound in, the file in nn~, a slider for everything.

They are for looking in and copying from; nothing of audiobend is needed to open them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audiobend.export.controls import Control, attribute_name
from audiobend.export.nn_tilde import RESET
from audiobend.osc.clients.max_patcher import Patcher, written
from audiobend.osc.clients.pd_canvas import Canvas, escaped

_ROW, _TOP = 26, 150


@dataclass(frozen=True)
class Help:
    """What a patch tells.

    Attributes
    ----------
    file : str
        Name of the exported file, in the same folder.
    n_channels : int
    sample_rate : int, Hz
    latency : int
        Samples, without the buffers of nn~.
    buffer : int
        The smallest buffer of nn~ that works.
    controls : what has a slider
    """

    file: str
    n_channels: int
    sample_rate: int
    latency: int
    buffer: int
    controls: Sequence[Control]

    @property
    def lines(self) -> tuple[str, str, str]:
        """What is to be known before one listens."""
        ms = 1000 * self.latency / self.sample_rate
        return (
            f"{self.file}: made by audiobend for nn~",
            f"set the sample rate to {self.sample_rate} Hz - latency {self.latency} samples ({ms:.0f} ms) "
            "and the buffers of nn~",
            "sound comes in on the left; sliders begin with the values of the patch; reset forgets all sound",
        )

    def nn(self, file: str) -> str:
        """Return the object that plays the file, whose name is written as the host wants it."""
        return f"nn~ {file} forward {max(self.buffer, 4096)}"


def pd_help(of: Help) -> str:
    """Return the text of a ``.pd`` patch (0.52 or later, with the external nn~)."""
    canvas = Canvas(width=760, height=_TOP + _ROW * (len(of.controls) + 2) + 40)
    for n, line in enumerate(of.lines):
        canvas.comment(line, 20, 10 + 18 * n)
    nn = canvas.obj(of.nn(_pd_word(of.file)), 20, 100)
    source, sink = canvas.obj("adc~ 1 2", 20, 75), canvas.obj("dac~ 1 2", 20, 125)
    for channel in range(2):
        if channel < of.n_channels:
            canvas.cord(source, channel, nn, channel)
        canvas.cord(nn, min(channel, of.n_channels - 1), sink, channel)
    name = attribute_name(of.file.rpartition(".")[0])
    for n, one in enumerate(of.controls):
        _pd_control(canvas, f"{name}/{one.attribute}", one, nn, _TOP + 10 + _ROW * n)
    y = _TOP + 10 + _ROW * len(of.controls)
    canvas.chain(canvas.button(f"{name}/{RESET}", 20, y), canvas.msg(f"set {RESET} 1", 420, y), nn)
    canvas.comment(RESET, 190, y)
    return canvas.text


def _pd_control(canvas: Canvas, name: str, one: Control, nn: int, y: int) -> None:
    low, high = one.param.low, one.param.high
    start, value = canvas.obj("loadbang", 620, y), canvas.msg(f"{one.value:.10g}", 690, y)
    slider = canvas.slider(name, 20, y, low, high)
    box = f"nbx 6 14 {low:.10g} {high:.10g} 0 0 empty empty empty 0 -8 0 10 #fcfcfc #000000 #000000 0"
    shown = canvas.obj(box, 115, y)
    canvas.comment(one.target, 190, y)
    whole = [canvas.obj("int", 380, y)] if one.whole else []
    canvas.chain(start, value, slider, *whole, shown, canvas.msg(f"set {one.attribute} \\$1", 420, y), nn)


def max_help(of: Help) -> str:
    """Return the text of a ``.maxpat`` patch (Max 8 or later, with the package nn~)."""
    patcher = Patcher(760, _TOP + _ROW * (len(of.controls) + 2))
    for n, line in enumerate(of.lines):
        patcher.words(line, 20.0, 8.0 + 18.0 * n, 720.0)
    n = of.n_channels
    source = patcher.external("adc~ 1 2", 1, 2, (20.0, 70.0, 80.0, 22.0))
    nn = patcher.external(of.nn(_max_word(of.file)), n, n, (20.0, 96.0, 400.0, 22.0))
    sink = patcher.external("dac~ 1 2", 2, 0, (20.0, 122.0, 80.0, 22.0))
    for channel in range(2):
        if channel < n:
            patcher.cord(source, channel, nn, channel)
        patcher.cord(nn, min(channel, n - 1), sink, channel)
    for row, one in enumerate(of.controls):
        _max_control(patcher, one, nn, float(_TOP + 10 + _ROW * row))
    y = float(_TOP + 10 + _ROW * len(of.controls))
    patcher.words(RESET, 190.0, y, 200.0)
    patcher.chain(patcher.box("button", (20.0, y, 20.0, 20.0)), patcher.message(f"set {RESET} 1"), nn)
    return written(patcher.data())


def _max_control(patcher: Patcher, one: Control, nn: str, y: float) -> None:
    low, high = one.param.low, one.param.high
    span: dict[str, float] = {"min": low, "size": high - low + (1 if one.whole else 0)}
    slider = patcher.box("slider", (20.0, y, 100.0, 18.0), parameter_enable=0, floatoutput=1, orientation=1, **span)
    kind = "number" if one.whole else "flonum"
    shown = patcher.box(kind, (126.0, y, 58.0, 20.0), parameter_enable=0, minimum=low, maximum=high)
    patcher.words(one.target, 190.0, y, 300.0)
    start, said = patcher.obj(f"loadmess {one.value:.10g}"), patcher.obj(f"prepend set {one.attribute}")
    patcher.chain(start, slider, shown, said, nn)


def _pd_word(file: str) -> str:
    """Return a file's name as one word of a Pure Data object."""
    return escaped(file).replace(" ", "\\ ")


def _max_word(file: str) -> str:
    """Return a file's name as one word of a Max object."""
    return f'"{file}"' if " " in file else file
