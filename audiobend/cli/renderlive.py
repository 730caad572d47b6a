"""``audiobend render --quality live`` without a take: the live engine over a sound file."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from audiobend.cli.choices import Profile
from audiobend.cli.outputs import Outputs
from audiobend.cli.screen import progress_bar

if TYPE_CHECKING:
    from audiobend.bending import Patch
    from audiobend.networks.backends import BackendName
    from audiobend.networks.model import Model
    from audiobend.rendering import Rendered


def render_live(
    outputs: Outputs,
    model: "Model",
    patch: "Patch",
    profile: Profile,
    stride: int | None,
    backend: str | None,
    quiet: bool,
) -> list["Rendered"]:
    """Render sounds as a performance, or the plugin, would put them out."""
    from audiobend.io.audiofile import probe
    from audiobend.live.chosen import chosen
    from audiobend.live.replay import bend_file
    from audiobend.networks.backends import backend as make_backend
    from audiobend.spectral.live_settings import LiveSettings

    wanted = cast("BackendName", backend) if backend not in (None, "auto") else None
    if wanted:
        make_backend(wanted, model)    # refuses what is unknown or not installed
    results = []
    for source, target in outputs.sounds:
        settings = LiveSettings.profile(profile.value, n_channels=min(2, probe(source).channels))
        settings = replace(settings, stride=stride or settings.stride)
        with progress_bar(f"playing {source.name}", quiet) as advance:
            name = wanted or chosen(model, settings).backend
            results.append(bend_file(source, target, model, patch, settings, name, advance))
    return results
