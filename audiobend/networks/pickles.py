"""Pickles read as data, by a machine that can call nothing.

A pickle is a program: it names functions and has them called. Here names stay names and calls stay notes of calls
(`Made`), so that there is nothing a hostile file could reach; and a file that names what no network needs is refused
by that name all the same. Long strings of bytes are views into the file: what is not asked for is never read.

Formats: the opcodes of protocols 0 to 5 as documented in Python's ``pickletools``.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from audiobend.errors import ModelError

MAX_STEPS = 2_000_000
MAX_DEPTH = 500
MAX_TEXT = 2**26
MAX_LINE = 4096
MAX_WHOLE = 128
"""Bytes of a whole number."""

Allowed = Callable[[str, str], bool]


@dataclass(frozen=True, eq=False)
class Named:
    """Something that a pickle names: a class or a function, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Made:
    """A call that a pickle asks for and that never happens, with all that was put into its result.

    ``maker`` was to be called with ``args``; ``state``, ``items`` and ``entries`` were to be set on what came of it.
    """

    maker: str
    args: tuple[Any, ...]
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    entries: list[Any] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Stored:
    """A persistent id: what a pickle leaves to the file around it."""

    id: Any


class _Mark:
    pass


def damaged(why: str) -> ModelError:
    """Return the error for a file that is no whole pickle."""
    return ModelError(f"the file is damaged: {why}")


def read_pickle(
    data: memoryview, allowed: Allowed, start: int = 0, persistent: Callable[[Any], Any] = Stored
) -> tuple[Any, int]:
    """Read one pickle.

    Parameters
    ----------
    data : memoryview of bytes
    allowed : function of a module's and a thing's name
        Whether a pickle may name it.
    start : int
        Where the pickle begins.
    persistent : function
        What a persistent id stands for.

    Returns
    -------
    value, end
        Plain data with `Made`, `Named` and `Stored` in it, byte strings as views; and where the pickle ended.

    Raises
    ------
    ModelError
        If the pickle is damaged, too long or too deep, or names something else.
    """
    machine = _Machine(data, start, allowed, persistent)
    try:
        return machine.run(), machine.at
    except (IndexError, KeyError, struct.error, UnicodeDecodeError, TypeError, ValueError, OverflowError) as error:
        raise damaged("it is no whole pickle") from error


class _Machine:
    def __init__(self, data: memoryview, start: int, allowed: Allowed, persistent: Callable[[Any], Any]) -> None:
        self.data, self.at, self.allowed, self.persistent = data, start, allowed, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.n_marks = 0

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            opcode = self.data[self.at]
            self.at += 1
            if opcode == ord("."):
                return self.stack[-1]
            if opcode not in _OPCODES:
                raise damaged(f"there is no opcode {opcode}")
            _OPCODES[opcode](self)
        raise damaged(f"it has more than {MAX_STEPS} steps")

    # Reading

    def take(self, n: int) -> memoryview:
        if not 0 <= n <= len(self.data) - self.at:
            raise damaged("it ends too early")
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, code: str) -> Any:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def line(self) -> str:
        piece = bytes(self.data[self.at : self.at + MAX_LINE])
        end = piece.find(b"\n")
        if end < 0:
            raise damaged("a line of it does not end")
        self.at += end + 1
        return piece[:end].decode("latin-1")

    def text(self, n: int, encoding: str = "utf-8") -> str:
        if n > MAX_TEXT:
            raise damaged("a text in it is too long")
        return str(self.take(n), encoding, "surrogatepass" if encoding == "utf-8" else "strict")

    # Stack

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.n_marks += 1
        if self.n_marks > MAX_DEPTH:
            raise damaged(f"it is nested more than {MAX_DEPTH} deep")
        self.stack.append(_Mark)

    def to_mark(self) -> list[Any]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is _Mark:
                values = self.stack[index + 1 :]
                del self.stack[index:]
                self.n_marks -= 1
                return values
        raise damaged("it closes what it did not open")

    def tuple_of(self, n: int) -> None:
        if len(self.stack) < n:
            raise damaged("it takes what is not there")
        values = tuple(self.stack[len(self.stack) - n :])
        del self.stack[len(self.stack) - n :]
        self.stack.append(values)

    def remember(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    # Making

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise damaged("a name in it is no text")
        if not self.allowed(module, name):
            asked = f"{module}.{name}"[:100]
            raise ModelError(f"the file is refused: it asks to run {asked!r}, which no network needs; nothing was run")
        self.stack.append(Named(module, name))

    def make(self, maker: Any, args: Any) -> None:
        if not isinstance(maker, Named) or not isinstance(args, tuple):
            raise damaged("it calls what is no name")
        ordered = str(maker) == "collections.OrderedDict" and not args
        self.stack.append({} if ordered else Made(str(maker), args))

    def build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Made):
            self.stack[-1].state = state
        elif not isinstance(self.stack[-1], dict):    # a dictionary's own attributes say nothing that matters
            raise damaged("it gives a state to what can have none")

    def set_items(self, pairs: list[Any]) -> None:
        target = self.stack[-1].items if isinstance(self.stack[-1], Made) else self.stack[-1]
        if not isinstance(target, dict):
            raise damaged("it puts items into what is no dictionary")
        target.update(_pairs(pairs))

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1].entries if isinstance(self.stack[-1], Made) else self.stack[-1]
        if not isinstance(target, list):
            raise damaged("it puts entries into what is no list")
        target.extend(values)

    def new_object(self, with_names: bool = False) -> None:
        if with_names:
            self.stack.pop()
        args, maker = self.stack.pop(), self.stack.pop()
        self.make(maker, args)

    def object_from_mark(self, maker: Any = None) -> None:
        values = self.to_mark()
        self.make(values[0] if maker is None else maker, tuple(values[1:] if maker is None else values))

    def instance(self) -> None:
        self.name(self.line(), self.line())
        self.object_from_mark(self.stack.pop())


def _pairs(values: list[Any]) -> Iterator[tuple[Any, Any]]:
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str | int | float | None):    # hashing deeply nested tuples would crash
            raise damaged("a key in it is neither a text nor a number")
        yield key, value


def _line_number(machine: _Machine) -> None:
    text = machine.line()
    if len(text) > MAX_WHOLE:
        raise damaged("a number in it is too long")
    machine.push({"00": False, "01": True}[text] if text in ("00", "01") else int(text.rstrip("L")))


def _whole(machine: _Machine, n: int) -> None:
    if n > MAX_WHOLE:
        raise damaged("a number in it is too long")
    machine.push(int.from_bytes(machine.take(n), "little", signed=True))


def _line_text(machine: _Machine) -> None:
    machine.push(machine.line().encode("latin-1").decode("raw_unicode_escape"))


def _drop_mark(machine: _Machine) -> None:
    machine.to_mark()


def _same_again(machine: _Machine) -> None:
    machine.push(machine.stack[-1])


def _drop(machine: _Machine) -> None:
    if machine.stack.pop() is _Mark:
        machine.n_marks -= 1


def _stack_global(m: _Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    m.name(module, name)


def _set_item(m: _Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    m.set_items([key, value])


_OPCODES: dict[int, Callable[[_Machine], object]] = {
    ord("("): _Machine.mark,
    ord("0"): _drop,
    ord("1"): _drop_mark,
    ord("2"): _same_again,
    ord("F"): lambda m: m.push(float(m.line())),
    ord("I"): _line_number,
    ord("L"): _line_number,
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("<B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    0x8A: lambda m: _whole(m, m.number("<B")),
    0x8B: lambda m: _whole(m, m.number("<i")),
    ord("G"): lambda m: m.push(m.number(">d")),
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("P"): lambda m: m.push(m.persistent(m.line())),
    ord("Q"): lambda m: m.push(m.persistent(m.stack.pop())),
    ord("S"): lambda m: m.push(m.line().strip("'\"")),
    ord("V"): _line_text,
    ord("T"): lambda m: m.push(m.text(m.number("<I"), "latin-1")),
    ord("U"): lambda m: m.push(m.text(m.number("<B"), "latin-1")),
    ord("X"): lambda m: m.push(m.text(m.number("<I"))),
    0x8C: lambda m: m.push(m.text(m.number("<B"))),
    0x8D: lambda m: m.push(m.text(m.number("<Q"))),
    ord("B"): lambda m: m.push(m.take(m.number("<I"))),
    ord("C"): lambda m: m.push(m.take(m.number("<B"))),
    0x8E: lambda m: m.push(m.take(m.number("<Q"))),
    0x96: lambda m: m.push(m.take(m.number("<Q"))),
    ord("}"): lambda m: m.push({}),
    ord("]"): lambda m: m.push([]),
    ord(")"): lambda m: m.push(()),
    0x8F: lambda m: m.push([]),    # a set; nobody asks whether something is in it
    0x90: lambda m: m.extend(m.to_mark()),
    0x91: lambda m: m.push(m.to_mark()),
    ord("d"): lambda m: m.push(dict(_pairs(m.to_mark()))),
    ord("l"): lambda m: m.push(m.to_mark()),
    ord("t"): lambda m: m.push(tuple(m.to_mark())),
    0x85: lambda m: m.tuple_of(1),
    0x86: lambda m: m.tuple_of(2),
    0x87: lambda m: m.tuple_of(3),
    ord("a"): lambda m: m.extend([m.stack.pop()]),
    ord("e"): lambda m: m.extend(m.to_mark()),
    ord("s"): _set_item,
    ord("u"): lambda m: m.set_items(m.to_mark()),
    ord("g"): lambda m: m.push(m.memo[int(m.line()[:20])]),
    ord("h"): lambda m: m.push(m.memo[m.number("<B")]),
    ord("j"): lambda m: m.push(m.memo[m.number("<I")]),
    ord("p"): lambda m: m.remember(int(m.line()[:20])),
    ord("q"): lambda m: m.remember(m.number("<B")),
    ord("r"): lambda m: m.remember(m.number("<I")),
    0x94: lambda m: m.remember(len(m.memo)),
    ord("c"): lambda m: m.name(m.line(), m.line()),
    0x93: _stack_global,
    ord("R"): _Machine.new_object,
    0x81: _Machine.new_object,
    0x92: lambda m: m.new_object(with_names=True),
    ord("o"): _Machine.object_from_mark,
    ord("i"): _Machine.instance,
    ord("b"): _Machine.build,
    0x80: lambda m: m.take(1),
    0x95: lambda m: m.take(8),
}
