"""Pure Data patches as text: boxes in order, and cords between them by their numbers."""

from collections.abc import Sequence
from itertools import pairwise

_PLAIN = "-2 -8 0 10 #fcfcfc #000000 #000000"
"""Label above to the left, and colours, of the round and square boxes."""
_BESIDE = "18 8 0 10 #fcfcfc #000000 #000000"


def escaped(text: str) -> str:
    """Return words as a patch has them: what would end a box or stand for an argument is marked."""
    for sign in ("\\", ",", ";", "$"):
        text = text.replace(sign, f"\\{sign}")
    return text


class Canvas:
    """A window of a patch; `text` is the patch, or the part of one that a sub-window is.

    Boxes are numbered in the order in which they are added; that number is what adding returns.
    """

    def __init__(self, name: str = "", width: int = 600, height: int = 400) -> None:
        self.name, self._size = name, f"{width} {height}"
        self._boxes: list[str] = []
        self._cords: list[str] = []
        self._row = 0

    def obj(self, text: str, x: int | None = None, y: int | None = None) -> int:
        """Add an object; without a position it is put below the one before."""
        return self._add("obj", text, x, y)

    def msg(self, text: str, x: int | None = None, y: int | None = None) -> int:
        """Add a message."""
        return self._add("msg", text, x, y)

    def comment(self, text: str, x: int, y: int) -> int:
        """Add words."""
        return self._add("text", escaped(text), x, y)

    def switch(self, name: str, x: int, y: int) -> int:
        """Add a toggle that sends to ``name`` and shows what comes to ``name/see``."""
        return self.obj(f"tgl 15 0 {name} {name}/see empty {_PLAIN} 0 1", x, y)

    def button(self, name: str, x: int, y: int) -> int:
        """Add a bang button."""
        return self.obj(f"bng 15 250 50 0 {name} {name}/see empty {_PLAIN}", x, y)

    def slider(self, name: str, x: int, y: int, low: float, high: float) -> int:
        """Add a slider of 80 dots."""
        return self.obj(f"hsl 80 15 {low:.10g} {high:.10g} 0 0 {name} {name}/see empty {_PLAIN} 0 1", x, y)

    def number(self, name: str, x: int, y: int, low: float, high: float, label: str = "-") -> int:
        """Add a number that is dragged or typed; its label stands to the left."""
        return self._add("floatatom", f"6 {low:.10g} {high:.10g} 0 {label} {name}/see {name} 0", x, y)

    def words(self, name: str, x: int, y: int, width: int = 24, label: str = "-") -> int:
        """Add a field for words; its label stands to the left."""
        return self._add("listbox", f"{width} 0 0 0 {label} {name}/see {name} 0", x, y)

    def choice(self, name: str, x: int, y: int, count: int) -> int:
        """Add a column of cells of which one is chosen."""
        return self.obj(f"vradio 15 1 0 {count} {name} {name}/see empty {_PLAIN} 0", x, y)

    def background(self, x: int, y: int, width: int, height: int, label: str) -> int:
        """Add a coloured field with a title."""
        title = label.replace(" ", "_") or "empty"
        return self.obj(f"cnv 15 {width} {height} empty empty {title} 6 10 0 12 #e8e8e8 #404040 0", x, y)

    def inside(self, canvas: "Canvas", x: int, y: int) -> int:
        """Add a sub-window."""
        self._boxes.append(f"{canvas.text}#X restore {x} {y} pd {canvas.name};")
        return len(self._boxes) - 1

    def cord(self, source: int, outlet: int, target: int, inlet: int) -> None:
        """Join an outlet to an inlet."""
        self._cords.append(f"#X connect {source} {outlet} {target} {inlet};")

    def chain(self, *boxes: int) -> int:
        """Join first outlets to first inlets, one after the other; return the last box."""
        for source, target in pairwise(boxes):
            self.cord(source, 0, target, 0)
        return boxes[-1]

    def objs(self, texts: Sequence[str]) -> list[int]:
        """Add objects below each other, joined in a chain."""
        boxes = [self.obj(text) for text in texts]
        self.chain(*boxes)
        return boxes

    @property
    def text(self) -> str:
        """The patch, with a line end after every box."""
        head = f"#N canvas 40 40 {self._size} {self.name} 0;" if self.name else f"#N canvas 40 40 {self._size} 10;"
        return "\n".join([head, *self._boxes, *self._cords]) + "\n"

    def _add(self, kind: str, text: str, x: int | None, y: int | None) -> int:
        if x is None or y is None:
            x, y = 20 + 260 * (self._row // 30), 20 + 25 * (self._row % 30)
            self._row += 1
        self._boxes.append(f"#X {kind} {x} {y} {text};")
        return len(self._boxes) - 1
