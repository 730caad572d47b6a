"""Torch's two file formats read as data: what a checkpoint may name, and where the numbers of its tensors lie."""

import io
import struct
import zipfile
from dataclasses import dataclass, field
from typing import Any

import torch

from audiobend.errors import ModelError
from audiobend.networks.pickle_machine import Named, damaged
from audiobend.networks.pickles import read_pickle

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""What files of torch before 1.6 begin with, and storages inside other pickles still do."""
ZIP_MAGIC = b"PK\x03\x04"

_TYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
ARRAY_TYPES = {"f2": torch.float16, "f4": torch.float32, "f8": torch.float64, "i4": torch.int32, "i8": torch.int64}

_NAMES = {
    "collections": {"OrderedDict", "defaultdict"},
    "builtins": {"set", "list", "dict", "int", "float", "str", "bytearray", "complex", "slice", "range"},
    "__builtin__": {"set", "list", "dict", "int", "float", "str", "long", "unicode", "object"},
    "argparse": {"Namespace"},
    "_codecs": {"encode"},
    "copyreg": {"_reconstructor", "__newobj__"},
    "copy_reg": {"_reconstructor"},
    "numpy": {"ndarray", "dtype", *ARRAY_TYPES},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "torch": {"Size", "device", "Tensor", "Generator", *_TYPES},
    "torch._tensor": {"Tensor", "_rebuild_from_type_v2"},
    "torch.nn.parameter": {"Parameter", "Buffer"},
    "torch.storage": {"_load_from_bytes", "TypedStorage", "UntypedStorage"},
    "torch._utils": {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_parameter_with_state"},
    "torch.serialization": {"_get_layout"},
    "torch_utils.persistence": {"_reconstruct_persistent_obj"},
    "dnnlib.util": {"EasyDict"},
    "dnnlib": {"EasyDict"},
    "dnnlib.tflib.network": {"Network"},
    "dnnlib.tflib": {"Network"},
    "tfutil": {"Network"},
    "network": {"Network"},
}
_TYPE_NAMES = {"float16", "float32", "float64", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"}


def allowed(module: str, name: str) -> bool:
    """Return whether a checkpoint may name this; everything that is known to stand in files of networks."""
    if module == "torch" and name in _TYPE_NAMES:
        return True
    if module.startswith("torch.nn.modules.") and name[:1].isupper() and name.isalnum():
        return True
    return name in _NAMES.get(module, ())


@dataclass(eq=False)
class Storage:
    """Numbers in a file; ``data`` is empty until their place is known."""

    dtype: torch.dtype
    data: memoryview = field(default_factory=lambda: memoryview(b""))


def read_legacy(data: memoryview, start: int = 0) -> Any:
    """Return what a file of torch before 1.6 holds; `ModelError` where it is damaged."""
    magic, at = read_pickle(data, allowed, start)
    version, at = read_pickle(data, allowed, at)
    system, at = read_pickle(data, allowed, at)
    little = isinstance(system, dict) and system.get("little_endian") is True
    if magic != LEGACY_MAGIC or version != 1001 or not little:
        raise damaged("it does not begin as files of torch do")
    storages: dict[str, Storage] = {}
    value, at = read_pickle(data, allowed, at, lambda id: _storage(id, storages))
    keys, at = read_pickle(data, allowed, at)
    for key in keys if isinstance(keys, list) else []:
        if not isinstance(key, str) or key not in storages or at + 8 > len(data):
            raise damaged("its list of tensors does not fit")
        size = storages[key].dtype.itemsize * struct.unpack("<q", data[at : at + 8])[0]
        if not 0 <= size <= len(data) - at - 8:
            raise damaged("it ends too early")
        storages[key].data = data[at + 8 : at + 8 + size]
        at += 8 + size
    return value


def read_zip(data: memoryview) -> Any:
    """Return what a file of torch from 1.6 on holds; `ModelError` where it is damaged."""
    entries = _zip_entries(data)
    names = [name for name in entries if name.endswith("/data.pkl")]
    if len(names) != 1:
        raise damaged("it is a zip file without a 'data.pkl'")
    folder = names[0].removesuffix("data.pkl")
    if bytes(entries.get(f"{folder}byteorder", b"little")) != b"little":
        raise ModelError("it was saved on a big-endian machine, which is not read; save it again on another")

    def persistent(id: Any) -> Storage:
        storages: dict[str, Storage] = {}
        storage = _storage(id, storages)
        storage.data = entries.get(f"{folder}data/{next(iter(storages))}", storage.data)
        return storage

    return read_pickle(entries[names[0]], allowed, persistent=persistent)[0]


def _zip_entries(data: memoryview) -> dict[str, memoryview]:
    """Views of the entries, which torch stores uncompressed."""
    try:
        with zipfile.ZipFile(io.BufferedReader(_Window(data))) as file:
            found = file.infolist()
        entries = {}
        for info in found:
            name_size, extra_size = struct.unpack_from("<HH", data, info.header_offset + 26)
            first = info.header_offset + 30 + name_size + extra_size
            if info.compress_type != zipfile.ZIP_STORED or not 0 <= first <= first + info.file_size <= len(data):
                raise damaged("an entry of it is compressed or cut off")
            entries[info.filename] = data[first : first + info.file_size]
        return entries
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, struct.error, ValueError, KeyError) as error:
        raise damaged("its list of contents cannot be read") from error


class _Window(io.RawIOBase):
    """A file that is a view, so that a list of contents is read without the contents."""

    def __init__(self, data: memoryview) -> None:
        super().__init__()
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        place = offset + (0, self._at, len(self._data))[whence]
        if place < 0:
            raise OSError("negative place")
        self._at = place
        return place

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _storage(id: Any, storages: dict[str, Storage]) -> Storage:
    if not isinstance(id, tuple) or len(id) < 5 or id[0] != "storage" or not isinstance(id[1], Named):
        raise damaged("a tensor in it has no storage")
    dtype, key = _TYPES.get(id[1].name), id[2]
    if dtype is None or not isinstance(key, str) or (len(id) > 5 and id[5] is not None):
        raise damaged("a tensor in it is of no known type")
    return storages.setdefault(key, Storage(dtype))
