"""What stands in the way of the plugin, and what to do about it."""

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from audiobend.errors import PluginError
from audiobend.live.doctor import Finding
from audiobend.plugin.building import FORMATS, NAME, compiler, find_dpf, sources
from audiobend.plugin.places import command_file, folder_of, installed
from audiobend.server.place import answers, socket_path

_TOOLS = "Debian: apt-get install g++ make; macOS: xcode-select --install"


def examine(dpf: Path | None = None, out: Path | None = None) -> list[Finding]:
    """Look at all that is needed to build the plugin and to play it.

    Parameters
    ----------
    dpf : Path or None
        The framework's folder.
    out : Path or None
        Folder into which bundles were built; None does not look for any.
    """
    built = [_built(out)] if out is not None else []
    return [_system(), _compiler(), _make(), _framework(dpf), *built, *_installed(), _command(), _server()]


def _system() -> Finding:
    name = platform.system()
    if name in ("Linux", "Darwin"):
        return Finding("system", True, "macOS" if name == "Darwin" else name)
    found, fix = f"{name}: no Unix sockets and POSIX shared memory", "audiobend live, through a virtual cable"
    return Finding("system", False, found, fix, is_needed=True)


def _compiler() -> Finding:
    found = compiler()
    return Finding("compiler", found is not None, found or "none", "" if found else _TOOLS)


def _make() -> Finding:
    found = shutil.which("make")
    return Finding("make", found is not None, found or "none", "" if found else _TOOLS)


def _framework(dpf: Path | None) -> Finding:
    try:
        found, source = find_dpf(dpf), sources()
    except PluginError as error:
        what, _, fix = str(error).partition("; ")
        return Finding("framework", False, what, fix)
    return Finding("framework", True, f"DPF in {found}, the plugin's sources in {source}")


def _built(out: Path) -> Finding:
    found = [path.name for name in FORMATS if (path := out / f"{NAME}.{name}").exists()]
    if found:
        return Finding("built", True, f"{', '.join(found)} in {out}")
    return Finding("built", False, f"nothing in {out}", f"audiobend plugin build --out {out}")


def _installed() -> Iterator[Finding]:
    found = installed()
    for name in FORMATS:
        if name in found:
            yield Finding(f"installed {name}", True, str(found[name]))
        else:
            fix = f"audiobend plugin install --format {name}"
            yield Finding(f"installed {name}", False, f"not in {folder_of(name)}", fix, is_needed=not found)


def _command() -> Finding:
    path = command_file()
    try:
        words = path.read_text(encoding="utf-8").split("\n")
    except OSError:
        fix = "audiobend plugin install; or start `audiobend server` before the host"
        return Finding("server command", False, f"{path} is not there: the plugin cannot start a server", fix)
    if shutil.which(words[0]) is None:
        return Finding("server command", False, f"{words[0]} is not there any more", "audiobend plugin install")
    return Finding("server command", True, " ".join(words).strip())


def _server() -> Finding:
    path = socket_path()
    if answers(path):
        return Finding("server", True, f"answers at {path}")
    return Finding("server", False, f"nobody answers at {path}", "audiobend server")
