"""The machine that reads pickles: a stack, a memory, and nothing that could be called."""

import struct
from collections.abc import Callable, Iterator, Mapping
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


class Mark:
    """Where on the stack something begins."""

    __slots__ = ()


def damaged(why: str) -> ModelError:
    """Return the error for a file that is no whole pickle."""
    return ModelError(f"the file is damaged: {why}")


Opcodes = Mapping[int, Callable[["Machine"], object]]
"""What to do, by the byte that asks for it."""


class Machine:
    """Reads one pickle; see `audiobend.networks.pickles.read_pickle`."""

    def __init__(self, data: memoryview, start: int, allowed: Allowed, persistent: Callable[[Any], Any]) -> None:
        self.data, self.at, self.allowed, self.persistent = data, start, allowed, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.n_marks = 0

    def run(self, opcodes: Opcodes) -> Any:
        """Return what a pickle holds."""
        for _ in range(MAX_STEPS):
            opcode = self.data[self.at]
            self.at += 1
            if opcode == ord("."):
                return self.stack[-1]
            if opcode not in opcodes:
                raise damaged(f"there is no opcode {opcode}")
            opcodes[opcode](self)
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
        self.stack.append(Mark)

    def to_mark(self) -> list[Any]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is Mark:
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

    def set_items(self, values: list[Any]) -> None:
        target = self.stack[-1].items if isinstance(self.stack[-1], Made) else self.stack[-1]
        if not isinstance(target, dict):
            raise damaged("it puts items into what is no dictionary")
        target.update(pairs(values))

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


def pairs(values: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield keys, which must be texts or numbers, and values that stand one behind the other."""
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str | int | float | None):    # hashing deeply nested tuples would crash
            raise damaged("a key in it is neither a text nor a number")
        yield key, value
