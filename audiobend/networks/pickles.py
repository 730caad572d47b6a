"""Pickles read as data, by a machine that can call nothing.

A pickle is a program: it names functions and has them called. Here names stay names and calls stay notes of calls
(`Made`), so that there is nothing a hostile file could reach; and a file that names what no network needs is refused
by that name all the same. Long strings of bytes are views into the file: what is not asked for is never read.

Formats: the opcodes of protocols 0 to 5 as documented in Python's ``pickletools``.
"""

import struct
from collections.abc import Callable
from typing import Any

from audiobend.networks.pickle_machine import (
    MAX_WHOLE,
    Allowed,
    Machine,
    Mark,
    Stored,
    damaged,
    pairs,
)


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
    machine = Machine(data, start, allowed, persistent)
    try:
        return machine.run(_OPCODES), machine.at
    except (IndexError, KeyError, struct.error, UnicodeDecodeError, TypeError, ValueError, OverflowError) as error:
        raise damaged("it is no whole pickle") from error


def _line_number(machine: Machine) -> None:
    text = machine.line()
    if len(text) > MAX_WHOLE:
        raise damaged("a number in it is too long")
    machine.push({"00": False, "01": True}[text] if text in ("00", "01") else int(text.rstrip("L")))


def _whole(machine: Machine, n: int) -> None:
    if n > MAX_WHOLE:
        raise damaged("a number in it is too long")
    machine.push(int.from_bytes(machine.take(n), "little", signed=True))


def _line_text(machine: Machine) -> None:
    machine.push(machine.line().encode("latin-1").decode("raw_unicode_escape"))


def _drop_mark(machine: Machine) -> None:
    machine.to_mark()


def _same_again(machine: Machine) -> None:
    machine.push(machine.stack[-1])


def _drop(machine: Machine) -> None:
    if machine.stack.pop() is Mark:
        machine.n_marks -= 1


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    m.name(module, name)


def _set_item(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    m.set_items([key, value])


_OPCODES: dict[int, Callable[[Machine], object]] = {
    ord("("): Machine.mark,
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
    ord("d"): lambda m: m.push(dict(pairs(m.to_mark()))),
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
    ord("R"): Machine.new_object,
    0x81: Machine.new_object,
    0x92: lambda m: m.new_object(with_names=True),
    ord("o"): Machine.object_from_mark,
    ord("i"): Machine.instance,
    ord("b"): Machine.build,
    0x80: lambda m: m.take(1),
    0x95: lambda m: m.take(8),
}
