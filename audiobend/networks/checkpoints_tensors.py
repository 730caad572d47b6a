"""Tensors and arrays out of pickles that were read as data: torch's, and numpy's.

A tensor is a note of where its numbers lie; they are copied out of the file when it is asked for, and only if they
all lie inside it.
"""

from math import prod
from typing import Any

import torch
from torch import Tensor

from audiobend.networks.checkpoints_files import ARRAY_TYPES, Storage, read_legacy
from audiobend.networks.pickle_machine import Made, damaged

_REBUILD = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
_PARAMETER = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
_LOAD = "torch.storage._load_from_bytes"
_ARRAY = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")


def tensor(value: Any) -> Tensor | None:
    """Return a tensor or numpy's array as float32 on its own memory; None where the value is neither.

    Raises
    ------
    ModelError
        If its numbers do not all lie inside the file.
    """
    if not isinstance(value, Made):
        return None
    if value.maker in _PARAMETER and value.args:
        return tensor(value.args[0]) if _is(value.args[0], _REBUILD) else None
    if value.maker in _REBUILD:
        return _tensor(*_parts(value.args))
    return _array(value) if value.maker in _ARRAY else None


def _is(value: Any, makers: tuple[str, ...]) -> bool:
    return isinstance(value, Made) and value.maker in makers


def _parts(args: tuple[Any, ...]) -> tuple[Storage, int, tuple[int, ...], tuple[int, ...]]:
    if len(args) < 4:
        raise damaged("a tensor in it is not whole")
    storage, offset, size, stride = args[:4]
    if isinstance(storage, Made) and storage.maker == _LOAD and len(storage.args) == 1:
        storage = _loaded(storage)
    size, stride = (one.args[0] if isinstance(one, Made) and one.args else one for one in (size, stride))
    if not isinstance(storage, Storage) or not _wholes((offset,)) or not _wholes(size) or not _wholes(stride):
        raise damaged("a tensor in it is not whole")
    return storage, offset, size, stride


def _wholes(values: Any) -> bool:
    return isinstance(values, tuple) and len(values) <= 8 and all(type(n) is int and 0 <= n < 2**40 for n in values)


def _loaded(call: Made) -> Storage:
    """The storage inside a pickle inside a pickle; remembered in the note itself."""
    if not isinstance(call.state, Storage):
        inner = call.args[0]
        inner = memoryview(_encoded(inner)) if isinstance(inner, Made) else inner
        if not isinstance(inner, memoryview):
            raise damaged("a tensor in it is not whole")
        found = read_legacy(inner)
        if not isinstance(found, Storage):
            raise damaged("a tensor in it is not whole")
        call.state = found
    return call.state


def _tensor(storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    if len(size) != len(stride):
        raise damaged("a tensor in it has a size and strides that do not fit")
    item, count = storage.dtype.itemsize, prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if count else offset
    n_stored = len(storage.data) // item
    if count > n_stored or (count and last >= n_stored):
        raise damaged("a tensor in it is larger than its numbers")
    if not count:
        return torch.zeros(size)
    numbers = torch.frombuffer(bytearray(storage.data[offset * item : (last + 1) * item]), dtype=storage.dtype)
    return numbers.as_strided(size, stride).to(torch.float32).contiguous()


def _array(value: Made) -> Tensor:
    """An array as numpy puts it into pickles: version, shape, type, order, bytes."""
    state = value.state
    if not isinstance(state, tuple) or len(state) != 5 or not _wholes(state[1]):
        raise damaged("an array in it is not whole")
    _, shape, kind, fortran, data = state
    dtype = ARRAY_TYPES.get(kind.args[0]) if _is(kind, ("numpy.dtype",)) and kind.args else None
    order = kind.state[1] if dtype and isinstance(kind.state, tuple) and len(kind.state) > 1 else None
    data = memoryview(_encoded(data)) if isinstance(data, Made) else data
    if dtype is None or order not in ("<", "=", "|") or fortran is not False or not isinstance(data, memoryview):
        raise damaged("an array in it is of no known type")
    if len(data) != prod(shape) * dtype.itemsize:
        raise damaged("an array in it has another size than its numbers")
    if not prod(shape):
        return torch.zeros(shape)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape).to(torch.float32)


def _encoded(value: Made) -> bytes:
    """Bytes that an old protocol wrote as a text."""
    if value.maker != "_codecs.encode" or not value.args or not isinstance(value.args[0], str):
        raise damaged("an array in it is not whole")
    return value.args[0].encode("latin-1", "replace")


def as_mapping(value: Any) -> dict[Any, Any]:
    """Return a dictionary, or what a pickle put into a class that is one; empty for anything else."""
    if isinstance(value, Made):
        return {**value.items, **(value.state if isinstance(value.state, dict) else {})}
    return value if isinstance(value, dict) else {}
