"""What a page may know and ask for beside commands: the sound's figures, the table, the patch."""

import json
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from audiobend.errors import AudioError, ControlError, TakeError
from audiobend.io.audiofile import probe
from audiobend.io.patchfile import dump_patch
from audiobend.live.audio import Card, Clock
from audiobend.live.devices import list_cards
from audiobend.live.latency import cushion_samples
from audiobend.live.performance import Performance
from audiobend.osc.schema import schema
from audiobend.page.jobs import Jobs
from audiobend.page.moving import moving
from audiobend.page.picture_door import PATH
from audiobend.page.spectra import COLUMNS_PER_SECOND
from audiobend.page.work import Work
from audiobend.spectral.live_settings import LiveSettings, Profile


class Figures:
    """What is known of the running sound.

    All methods raise `AttributeError` while it is only starting.
    """

    def __init__(self, performance: Performance) -> None:
        self._performance = performance

    def about(self) -> dict[str, Any]:
        """Return what does not change from moment to moment."""
        one = self._performance
        card, latency, setup = one.streaming, one.latency, one.setup
        return {
            "input": input_facts(one),
            "output": {"kind": "browser" if isinstance(setup.card, Clock) else "card", "name": card.output},
            "browser_audio": isinstance(setup.card, Clock) and setup.card.is_paced,
            "host": card.host,
            "sample_rate": card.rate,
            "columns_per_second": COLUMNS_PER_SECOND,
            "random_seed": True,
            "channels": setup.settings.n_channels,
            "profile": setup.profile,
            "backend": one.ready.backend,
            "latency": {
                "parts": [{"name": name, "ms": round(ms, 2)} for name, ms in latency.parts().items()],
                "total_ms": round(latency.total_ms, 2),
                "samples": latency.delay,
            },
            "osc": {"port": one.osc.port, "address": one.osc.address},
            "picture": PATH if one.desk.state.image else "",
            "session": {"name": one.session.folder.name if one.session else ""},
            "table": "/api/table",
        }

    def status(self) -> dict[str, Any]:
        """Return the figures of this moment."""
        one = self._performance
        facts = {"latency_ms": round(one.latency.total_ms, 1), "bypass": one.desk.state.bypass}
        return {**one.status().as_dict(), **facts, "recording_seconds": round(one.recorded_seconds, 2)}

    def moving(self) -> list[tuple[str, float]]:
        """Return the addresses and values of what moves by itself, as it is heard now."""
        one = self._performance
        patch = one.desk.state.patch
        return moving(patch, one.heard_seconds, one.status().in_db) if patch.modulation else []


def input_facts(one: Performance) -> dict[str, Any]:
    """Return what is the input: a card, a file or the browser, and its name."""
    if one.input.path is not None:
        return {"kind": "file", "name": one.input.name}
    is_clock = isinstance(one.setup.card, Clock)
    return {"kind": "browser" if is_clock else "card", "name": "" if is_clock else one.streaming.input}


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
