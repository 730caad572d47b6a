"""What a project keeps of an instance, as text: the model, how it is played, the patch, the scenes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from audiobend.bending import Patch
from audiobend.control.scenes import check_name
from audiobend.errors import AudiobendError, ControlError, did_you_mean
from audiobend.io.patchfile import parse_patch, patch_document
from audiobend.io.yamlfile import dump_document, parse_document
from audiobend.spectral.live_settings import LiveSettings, Profile

VERSION = 1
MAX_SCENES = 256
_KEYS = ("audiobend-plugin", "model", "profile", "stride", "patch", "scenes")


@dataclass(frozen=True)
class Project:
    """What a project keeps.

    Attributes
    ----------
    model : str
        Name or folder.
    profile : "low", "balanced" or "studio"
    stride : int or None
        Columns; None is the profile's own.
    patch : Patch
    scenes : mapping from name to Patch, in order
    """

    model: str
    profile: Profile = "balanced"
    stride: int | None = None
    patch: Patch = field(default_factory=Patch)
    scenes: Mapping[str, Patch] = field(default_factory=dict)

    @property
    def engine(self) -> tuple[object, ...]:
        """What an engine has for life; with another one of these it is another engine."""
        return self.model, self.profile, self.stride

    def settings(self) -> LiveSettings:
        """Return what decides latency and load; the host's two channels."""
        settings = LiveSettings.profile(self.profile, n_channels=2)
        return settings if self.stride is None else LiveSettings(self.stride, settings.look_ahead, n_channels=2)


def project_text(project: Project) -> str:
    """Return the text of a project; `parse_project` gives an equal one."""
    document: dict[str, Any] = {"audiobend-plugin": VERSION, "model": project.model, "profile": project.profile}
    if project.stride is not None:
        document["stride"] = project.stride
    document["patch"] = patch_document(project.patch)
    if project.scenes:
        document["scenes"] = {name: patch_document(patch) for name, patch in project.scenes.items()}
    return dump_document(document)


def parse_project(text: str, default: Project) -> Project:
    """Return the project that a text describes; an empty one describes the default.

    Raises
    ------
    ControlError
        One sentence, where the text is none of ours.
    """
    if not text.strip():
        return default
    try:
        return _parsed(parse_document(text, error=ControlError), default)
    except AudiobendError as error:
        raise ControlError(f"the project's state cannot be read: {error}") from None


def _parsed(document: Any, default: Project) -> Project:
    if not isinstance(document, Mapping) or document.get("audiobend-plugin") != VERSION:
        raise ControlError(f"it must begin with 'audiobend-plugin: {VERSION}'")
    for key in document:
        if key not in _KEYS:
            raise ControlError(f"unknown key '{key}'{did_you_mean(key, _KEYS)}")
    model, profile = document.get("model", default.model), document.get("profile", default.profile)
    stride = document.get("stride")
    if not isinstance(model, str) or profile not in get_args(Profile):
        raise ControlError(f"model must be a name, and profile one of {', '.join(get_args(Profile))}")
    scenes = document.get("scenes", {})
    if not isinstance(scenes, Mapping) or len(scenes) > MAX_SCENES:
        raise ControlError(f"scenes must be patches by name, {MAX_SCENES} at most")
    patch = parse_patch(document["patch"]) if "patch" in document else default.patch
    project = Project(
        model, profile, stride, patch, {check_name(str(name)): parse_patch(one) for name, one in scenes.items()}
    )
    project.settings()    # a stride that is out of range
    return project
