"""Where hosts look for plugins, and where the plugin looks for the words that start a server."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from audiobend.errors import PluginError
from audiobend.io.files import write_atomically
from audiobend.plugin.building import NAME, put

_LINUX = {"vst3": "~/.vst3", "clap": "~/.clap", "lv2": "~/.lv2"}
_MAC = {
    "vst3": "~/Library/Audio/Plug-Ins/VST3",
    "clap": "~/Library/Audio/Plug-Ins/CLAP",
    "lv2": "~/Library/Audio/Plug-Ins/LV2",
}


def folder_of(format_: str) -> Path:
    """Return the user's own folder in which hosts look for plugins of a format."""
    return Path((_MAC if sys.platform == "darwin" else _LINUX)[format_]).expanduser()


def command_file() -> Path:
    """Return the file in which the plugin reads how to start a server, as ``plugin/link.cpp`` looks for it."""
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/audiobend/server-command").expanduser()
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "audiobend" / "server-command"


def server_words() -> list[str]:
    """Return what starts a server from anywhere: a host has another environment than a shell."""
    program = Path(sys.argv[0])
    if program.name == "audiobend" and program.is_file():
        return [str(program.resolve()), "server"]
    beside = Path(sys.executable).with_name("audiobend")
    found = str(beside) if beside.is_file() else shutil.which("audiobend")
    if found is None:
        raise PluginError("the command audiobend is not on the path; install the package with pip or uv")
    return [str(Path(found).absolute()), "server"]


def install(bundles: Iterable[tuple[str, Path]], to: Path | None = None) -> dict[str, Path]:
    """Copy bundles to where hosts look, and write down how to start a server.

    Parameters
    ----------
    bundles : iterable of (format, bundle)
    to : Path or None
        Another folder for all of them.
    """
    placed = {format_: put(bundle, to or folder_of(format_)) for format_, bundle in bundles}
    path = command_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(path, error=PluginError) as temporary:
        temporary.write_text("\n".join(server_words()) + "\n", encoding="utf-8")
    return placed


def installed() -> dict[str, Path]:
    """Return the bundles that are where hosts look, by format."""
    places = {format_: folder_of(format_) / f"{NAME}.{format_}" for format_ in _LINUX}
    return {format_: path for format_, path in places.items() if path.exists()}
