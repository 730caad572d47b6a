"""Builds the plugin from its C++ sources, with the DISTRHO Plugin Framework and the system's compiler."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from audiobend.errors import PluginError, did_you_mean

FORMATS: Mapping[str, str] = {"vst3": "vst3", "clap": "clap", "lv2": "lv2_dsp"}
"""Formats, and what the makefile calls them."""
DPF = Path("/usr/share/dpf")
"""Where Debian's package dpf-source puts the framework."""
DPF_VARIABLE = "AUDIOBEND_DPF"
NAME = "audiobend"
_TOOLS = "on Debian: apt-get install g++ make, on macOS: xcode-select --install"
_DESCRIBE = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).lv2_generate_ttl(sys.argv[2].encode())"


def sources() -> Path:
    """Return the folder of the C++ sources: inside the package, or in the repository beside it."""
    package = Path(__file__).parents[1]
    for folder in (package / "plugin" / "source", package.parent / "plugin"):
        if (folder / "plugin.cpp").is_file():
            return folder
    raise PluginError("the plugin's sources are not installed; install audiobend again")


def formats_of(words: str) -> list[str]:
    """Return the formats that are named, with commas between them.

    >>> formats_of("vst3,lv2")
    ['vst3', 'lv2']
    """
    named = [word.strip() for word in words.split(",") if word.strip()]
    if not named:
        raise PluginError(f"--format needs at least one of {', '.join(FORMATS)}")
    for word in named:
        if word not in FORMATS:
            raise PluginError(f"there is no format '{word}'{did_you_mean(word, FORMATS)}")
    return list(dict.fromkeys(named))


def find_dpf(given: Path | None = None) -> Path:
    """Return the framework's folder: as given, or from the environment, or where Debian has it."""
    path = given or Path(os.environ.get(DPF_VARIABLE) or DPF)
    if not (path / "Makefile.plugins.mk").is_file():
        raise PluginError(
            f"{path}: the DISTRHO Plugin Framework is not there; on Debian or Ubuntu: apt-get install dpf-source; "
            "elsewhere: git clone --recursive https://github.com/DISTRHO/DPF, and name it with --dpf"
        )
    return path.resolve()


def compiler() -> str | None:
    """Return the C++ compiler that make will run, if there is one."""
    return shutil.which(os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++"))


def build(
    formats: Iterable[str], out: Path, dpf: Path | None = None, tell: Callable[[str], None] = lambda line: None
) -> dict[str, Path]:
    """Build bundles into a folder; what is there already is replaced only when everything has been built.

    Parameters
    ----------
    formats : iterable of str
        See `FORMATS`.
    out : Path
        Folder for the bundles; made where it is missing.
    dpf : Path or None
        The framework's folder, see `find_dpf`.
    tell : callable
        Takes the compiler's lines.

    Returns
    -------
    dict
        The bundle of each format.
    """
    wanted, framework = list(formats), find_dpf(dpf)
    _check_tools()
    with TemporaryDirectory(prefix="audiobend-plugin-") as folder:
        made = Path(folder) / "made"
        _make([FORMATS[name] for name in wanted], framework, Path(folder) / "objects", made, tell)
        if "lv2" in wanted:
            _describe(made / f"{NAME}.lv2")
        return {name: put(made / f"{NAME}.{name}", out) for name in wanted}


def put(bundle: Path, folder: Path) -> Path:
    """Copy a bundle into a folder, in the place of an older one; a host never sees half of it."""
    target, beside = folder / bundle.name, folder / f".{bundle.name}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove(beside)
        if bundle.is_dir():
            shutil.copytree(bundle, beside)
        else:
            shutil.copy2(bundle, beside)
        _remove(target)
        beside.rename(target)
    except OSError as error:
        raise PluginError(f"{target}: cannot be written: {error.strerror}") from None
    return target


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _check_tools() -> None:
    if platform.system() == "Windows":
        raise PluginError("the plugin cannot be built for Windows yet: it needs Unix sockets and POSIX shared memory")
    if compiler() is None:
        raise PluginError(f"there is no C++ compiler; {_TOOLS}")
    if shutil.which("make") is None:
        raise PluginError(f"there is no make; {_TOOLS}")


def _make(targets: list[str], dpf: Path, objects: Path, made: Path, tell: Callable[[str], None]) -> None:
    places = [f"DPF_PATH={dpf}", f"DPF_BUILD_DIR={objects}", f"DPF_TARGET_DIR={made}"]
    words = ["make", "-C", str(sources()), *places, f"-j{os.cpu_count() or 1}", *targets]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        tell(lines[-1])
    if process.wait() != 0:
        errors = [line for line in lines if "error" in line.lower()] or lines
        raise PluginError(f"the plugin could not be built: {errors[0] if errors else 'make said nothing'}")


def _describe(bundle: Path) -> None:
    """Let the LV2 plugin write its own description, in another process: it is foreign code."""
    library = next(iter(bundle.glob(f"{NAME}_dsp.*")))
    words = [sys.executable, "-c", _DESCRIBE, str(library), library.stem]
    done = subprocess.run(words, cwd=bundle, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not (bundle / "manifest.ttl").is_file():
        why = done.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
        raise PluginError(f"the LV2 plugin could not be described: {why[0]}")
