"""Ready files for programs that play audiobend, written from the table of addresses and a model's places."""

from collections.abc import Callable, Iterable, Mapping

from audiobend.errors import ControlError, did_you_mean
from audiobend.osc.clients.max import max_patch
from audiobend.osc.clients.max_for_live import live_device
from audiobend.osc.clients.pd import pd_patch
from audiobend.osc.clients.supercollider import supercollider_file
from audiobend.osc.clients.surface import ANSWER_PORT, Surface, surface
from audiobend.osc.clients.touchosc import touchosc_layout

FORMATS: Mapping[str, tuple[str, Callable[[Surface], str | bytes]]] = {
    "pd": ("audiobend.pd", pd_patch),
    "max": ("audiobend.maxpat", max_patch),
    "m4l": ("audiobend.amxd", live_device),
    "touchosc": ("audiobend.tosc", touchosc_layout),
    "supercollider": ("audiobend.scd", supercollider_file),
}
"""For each format the name of its file, and what writes it."""


def client_files(of: Surface, formats: Iterable[str] = tuple(FORMATS)) -> dict[str, bytes]:
    """Return files by name; `ControlError` where a format is unknown."""
    files = {}
    for one in formats:
        if one not in FORMATS:
            raise ControlError(f"unknown format '{one}'{did_you_mean(one, FORMATS)}")
        name, write = FORMATS[one]
        content = write(of)
        files[name] = content if isinstance(content, bytes) else content.encode()
    return files


__all__ = ["ANSWER_PORT", "FORMATS", "Surface", "client_files", "surface"]
