"""A file read as nn~ reads it: what it offers, and whether all of it holds. Needs torch alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

TYPES = {0: bool, 1: int, 2: float, 3: str}
"""What the numbers of an attribute's parameters mean."""


@dataclass(frozen=True)
class Method:
    """What nn~ may call."""

    name: str
    in_channels: int
    in_ratio: int
    out_channels: int
    out_ratio: int


@dataclass(frozen=True)
class Attribute:
    """What nn~ may set, with the types and values it has now."""

    name: str
    types: tuple[type, ...]
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Contract:
    """All that a file offers."""

    methods: tuple[Method, ...]
    attributes: tuple[Attribute, ...]

    @property
    def ratio(self) -> int:
        """The smallest block that nn~ works with."""
        return max(max(one.in_ratio, one.out_ratio) for one in self.methods)


class ContractError(Exception):
    """A file that nn~ could not use; the text says what is wrong."""


def read_contract(module: Any) -> Contract:
    """Return what a module loaded by `torch.jit.load` offers; `ContractError` where nn~ would fail."""
    names = _list(module, "get_methods")
    if "forward" not in names:
        raise ContractError("there is no method forward, which nn~ falls back to")
    methods = tuple(_method(module, name) for name in names)
    attributes = tuple(_attribute(module, name) for name in _list(module, "get_attributes"))
    return Contract(methods, attributes)


def check_contract(module: Any) -> Contract:
    """Read the contract, run every method as nn~ does, and set every attribute to what it is."""
    found = read_contract(module)
    if found.ratio & (found.ratio - 1):
        raise ContractError(f"ratios must be powers of two, as nn~'s buffers are; got {found.ratio}")
    for method in found.methods:
        for n_samples in (found.ratio, 4 * found.ratio):
            _run(module, method, n_samples)
    for attribute in found.attributes:
        _set(module, attribute)
    return found


def _list(module: Any, name: str) -> list[str]:
    _has(module, name)
    found = getattr(module, name)()
    if not found or not all(isinstance(one, str) for one in found) or len(set(found)) != len(found):
        raise ContractError(f"{name} must return different names, got {found!r}")
    return list(found)


def _method(module: Any, name: str) -> Method:
    _has(module, name)
    params = _tensor(module, f"{name}_params")
    if params.shape != (4,) or not bool((params > 0).all()):
        raise ContractError(f"{name}_params must be four numbers above 0, got {params.tolist()}")
    return Method(name, *(int(one) for one in params))


def _attribute(module: Any, name: str) -> Attribute:
    if not name.isidentifier():
        raise ContractError(f"attribute {name!r} is not a word that a method can be named after")
    _has(module, f"get_{name}")
    _has(module, f"set_{name}")
    kinds = [int(one) for one in _tensor(module, f"{name}_params")]
    if not kinds or any(kind not in TYPES for kind in kinds):
        raise ContractError(f"{name}_params must be of {sorted(TYPES)}, got {kinds}")
    types, values = tuple(TYPES[kind] for kind in kinds), tuple(getattr(module, f"get_{name}")())
    if tuple(type(one) for one in values) != types:
        raise ContractError(f"get_{name} must return {types}, got {values!r}")
    return Attribute(name, types, values)


def _run(module: Any, method: Method, n_samples: int) -> None:
    """Hand in what nn~ does: every in_ratio-th sample, one item; take what it takes."""
    x = torch.zeros(1, method.in_channels, n_samples // method.in_ratio)
    with torch.inference_mode(), unhurried():
        out = getattr(module, method.name)(x)
    expected = (1, method.out_channels, n_samples // method.out_ratio)
    if tuple(out.shape) != expected or out.dtype != torch.float32:
        raise ContractError(f"{method.name} must return float32 {expected}, got {out.dtype} {tuple(out.shape)}")


def _set(module: Any, attribute: Attribute) -> None:
    status = getattr(module, f"set_{attribute.name}")(*attribute.values)
    after = tuple(getattr(module, f"get_{attribute.name}")())
    if type(status) is not int or status != 0 or after != attribute.values:
        wanted = f"set_{attribute.name}{attribute.values} must return 0 and keep them"
        raise ContractError(f"{wanted}, got {status}, {after}")


@contextmanager
def unhurried() -> Iterator[None]:
    """Let compiled modules run as they are: the first calls of each take a second where torch may make it faster."""
    before = torch._C._get_graph_executor_optimize()
    torch._C._set_graph_executor_optimize(False)
    try:
        yield
    finally:
        torch._C._set_graph_executor_optimize(before)


def _has(module: Any, name: str) -> None:
    if not hasattr(module, name):
        raise ContractError(f"there is no method {name}")


def _tensor(module: Any, name: str) -> torch.Tensor:
    found = getattr(module, name, None)
    if not isinstance(found, torch.Tensor):
        raise ContractError(f"{name} must be a tensor, got {found!r}")
    return found
