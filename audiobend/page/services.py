"""What a page may ask for beside commands: the table, the patch, sounds, takes, recordings, cards."""

import json
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from audiobend.errors import AudioError, ControlError, TakeError
from audiobend.io.audiofile import probe
from audiobend.io.patchfile import dump_patch
from audiobend.live.audio import Card
from audiobend.live.devices import list_cards
from audiobend.live.latency import cushion_samples
from audiobend.live.performance import Performance
from audiobend.osc.schema import schema
from audiobend.page.figures import input_facts
from audiobend.page.jobs import Jobs
from audiobend.page.work import Work
from audiobend.spectral.live_settings import LiveSettings, Profile


class Services:
    """What a page may ask for, by name: every public method.

    Parameters
    ----------
    performance : Performance
    jobs : Jobs
    """

    def __init__(self, performance: Performance, jobs: Jobs) -> None:
        self._performance, self._jobs = performance, jobs

    def table(self) -> str:
        """Return the table of addresses as JSON."""
        return json.dumps(schema(self._performance.desk.context))

    def picture(self) -> str:
        """Return where the pictures are that are bent by the same gestures; empty where there are none."""
        return self._performance.desk.state.image

    def patch(self) -> tuple[str, str]:
        """Return a name for the patch that sounds, and its text."""
        state = self._performance.desk.state
        return file_name(state.patch.name or state.scene or "patch"), dump_patch(state.patch)

    def input(self, path: Path | None, name: str) -> dict[str, Any]:
        """Play a file that was dropped, or listen to the card again; return what is the input now."""
        self._performance.play_file(path, name)
        return input_facts(self._performance)

    def render(self, path: Path, name: str, quality: str) -> int:
        """Render a file that was dropped by the patch that sounds; return the job's number."""
        state, played = self._performance.desk.state, self._performance
        probe(path)
        model, clusters = played.source_of_model, played.clusters_of_model
        work = partial(Work, path, model=model, clusters=clusters, patch=state.heard, quality=_quality(quality))
        return self._jobs.add(lambda target: work(target), f"{Path(name).stem}.bent.wav")

    def render_take(self, name: str, quality: str) -> int:
        """Render a take over the file that is played; return the job's number."""
        source = self._performance.input.path
        if source is None:
            raise TakeError("a take is rendered over a sound: drop the one that was played as input first")
        path = Path(self.take(name))
        work = partial(Work, source, model=None, take=path, quality=_quality(quality, "live"))
        return self._jobs.add(lambda target: work(target), f"{file_name(name)}.wav")

    def job(self, number: int) -> dict[str, Any]:
        """Return how a job stands."""
        return self._jobs.job(number).facts()

    def jobs(self) -> list[dict[str, Any]]:
        """Return how all jobs stand."""
        return self._jobs.all()

    def result(self, number: int) -> tuple[str, str]:
        """Return where the result of a job lies, and its name."""
        job = self._jobs.job(number)
        if job.state != "done":
            raise ControlError(f"job {number} is {job.state}")
        return str(job.work.target), job.name

    def take(self, name: str) -> str:
        """Return where a take lies, by its name."""
        session = self._performance.session
        if session is None or name not in session.takes():
            raise TakeError(f"there is no take '{name[:64]}'")
        return str(session.take_path(name))

    def recordings(self) -> list[dict[str, Any]]:
        """Return the recordings there are with their lengths, the newest first."""
        session = self._performance.session
        paths = {name: session.recording_path(name) for name in session.recordings()} if session is not None else {}
        ordered = sorted(paths, key=lambda name: paths[name].stat().st_mtime, reverse=True)
        return [{"name": name, **_size(paths[name])} for name in ordered]

    def recording(self, name: str) -> str:
        """Return where a recording lies, by its name."""
        session = self._performance.session
        if session is None or name not in session.recordings():
            raise TakeError(f"there is no recording '{name[:64]}'")
        return str(session.recording_path(name))

    def devices(self) -> dict[str, Any]:
        """Return the sound cards and the profiles that may be chosen, and which are used."""
        one = self._performance
        is_card, used = isinstance(one.setup.card, Card), one.streaming
        cards = list_cards().devices if is_card else ()
        used_by = {"input": used.input, "output": used.output, "host": used.host, "profile": one.setup.profile}
        return {"devices": [asdict(one) for one in cards], "profiles": profiles(one), **used_by}


def _size(path: Path) -> dict[str, Any]:
    """Return how long a sound is; a file that is none has no length."""
    with suppress(AudioError):
        return {"seconds": round(probe(path).seconds, 2), "bytes": path.stat().st_size}
    return {"seconds": 0.0, "bytes": path.stat().st_size}


def profiles(one: Performance) -> list[dict[str, Any]]:
    """Return each profile of latency with what sound would take by it, in ms."""
    rate, setup, known = one.streaming.rate, one.setup, one.latency
    found = []
    for name in get_args(Profile):
        settings = LiveSettings.profile(name, phase=setup.settings.phase, n_channels=setup.settings.n_channels)
        cushion = cushion_samples(name, settings.stride, setup.cushion_ms, rate, known.model_rate)
        latency = replace(known, engine=settings.latency_parts(), cushion=cushion)
        found.append({"name": name, "ms": round(latency.total_ms, 1)})
    return found


def _quality(given: str, *more: str) -> str:
    known = ("fast", "default", "best", *more)
    if given not in known:
        raise ControlError(f"quality must be one of {', '.join(known)}, got '{given[:32]}'")
    return given


def file_name(name: str) -> str:
    """Return a name that can stand in a header and on any disk.

    >>> file_name('low "tide"/x')
    'low tide x'
    """
    kept = "".join(one if one.isalnum() or one in " ._-+" else " " for one in name)
    return " ".join(kept.encode("ascii", "ignore").decode().split()) or "patch"
