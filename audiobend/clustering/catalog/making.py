"""From a model and a sound to a finished catalog."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audiobend.bending import Patch
from audiobend.clustering.catalog.crew import work
from audiobend.clustering.catalog.diversity import LEAST_DB, most_different
from audiobend.clustering.catalog.entries import Entry, list_entries
from audiobend.clustering.catalog.ladder import DEFAULT_TRANSFORMS, check_transforms
from audiobend.clustering.catalog.measuring import Measured
from audiobend.clustering.catalog.page import page
from audiobend.clustering.catalog.store import DOCUMENT, PAGE, PATCH, REFERENCES, TABLE, Part, Store
from audiobend.clustering.catalog.subject import Subject
from audiobend.clustering.catalog.tables import csv_text, document, json_text
from audiobend.clustering.catalog.workshop import Workshop
from audiobend.errors import AudioError
from audiobend.io.files import MARK
from audiobend.io.patchfile import dump_patch
from audiobend.networks.model import Model

VERSION = 1
"""Of what is measured and how: older parts are made again."""
N_DIFFERENT = 8
SILENT_DB = -30.0
"""A bend that takes this much of the level leaves nothing to listen to."""


@dataclass(frozen=True)
class Made:
    """What a run did.

    Attributes
    ----------
    page : Path
    document : dict
        What ``catalog.json`` holds.
    rendered, kept : int
        Entries made now, and found from an earlier run.
    failed : mapping from id to the reason
    """

    page: Path
    document: dict[str, Any]
    rendered: int
    kept: int
    failed: Mapping[str, str]


def make_catalog(
    model: Model,
    subject: Subject,
    folder: Path,
    *,
    transforms: Sequence[str] = DEFAULT_TRANSFORMS,
    n_strengths: int = 2,
    jobs: int = 1,
    seed: int = 0,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Made:
    """Render, measure and list every cluster bent in every way, and write ``index.html`` and tables of it.

    Entries that an earlier run finished are taken over, if the sound, the model, the cluster and the bend are the same.
    The page appears when all is done, not before.

    Raises
    ------
    PatchError
        If the model has no clusters, or there is no such transform.
    AudioError
        If the folder holds something else or cannot be written to, or not a single entry could be rendered.
    """
    entries = list_entries(model, check_transforms(transforms), n_strengths)
    store = Store(folder)
    key = hashlib.sha256(f"{VERSION} {model.fingerprint} {subject.digest} {seed}".encode()).hexdigest()
    with store.opened():
        keys = {entry.id: entry.key(key) for entry in entries}
        found = {entry.id: store.find(entry, keys[entry.id]) for entry in entries}
        waiting = [(entry, keys[entry.id]) for entry in entries if found[entry.id] is None]
        workshop = Workshop(model, subject, seed)
        if waiting:
            store.forget_results()
        _write_references(store, workshop)
        failed: dict[str, str] = {}
        for index, (entry, error) in enumerate(work(workshop, store, waiting, jobs)):
            if error:
                failed[entry.id] = error
            on_progress((len(entries) - len(waiting) + index + 1) / len(entries))
        parts = _collect(store, entries, keys, failed)
        _check_some(parts, failed)
        store.sweep(entries)
        content = _write(store, workshop, entries, parts)
    return Made(folder / PAGE, content, len(waiting) - len(failed), len(entries) - len(waiting), failed)


def _write_references(store: Store, workshop: Workshop) -> None:
    """Write what bends are compared with."""
    rate = workshop.model.codec.sample_rate
    for name, waveform in zip(REFERENCES, (workshop.subject.samples, workshop.unbent), strict=True):
        store.write_sound(name, waveform, rate)


def _collect(
    store: Store, entries: Sequence[Entry], keys: Mapping[str, str], failed: Mapping[str, str]
) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for entry in entries:
        part = store.find(entry, keys[entry.id])
        parts[entry.id] = part or Part(None, error=failed.get(entry.id, "its sound has gone; run the catalog again"))
    return parts


def _check_some(parts: Mapping[str, Part], failed: Mapping[str, str]) -> None:
    if parts and all(part.measured is None for part in parts.values()):
        first = next(iter(failed.items()), ("", "its sound has gone"))
        raise AudioError(f"none of the {len(parts)} bends could be rendered; {first[0]}: {first[1]}")


def _write(store: Store, workshop: Workshop, entries: Sequence[Entry], parts: Mapping[str, Part]) -> dict[str, Any]:
    chosen = choose(entries, parts)
    pictures = {name: workshop.painter.picture(waveform) for name, waveform in zip(
        REFERENCES, (workshop.subject.samples, workshop.unbent), strict=True)}
    patch = different_patch(workshop.subject, chosen, workshop.seed)
    text = f"# Bends as different from one another as possible; switch them on one at a time. A patch {MARK}.\n"
    text += dump_patch(patch)
    content = document(workshop.model, workshop.subject, workshop.seed, entries, parts, [one.id for one in chosen])
    store.write(PATCH, text)
    store.write(TABLE, csv_text(content))
    store.write(DOCUMENT, json_text(content))
    store.write(PAGE, page(content, parts, pictures, text))
    return content


def choose(entries: Sequence[Entry], parts: Mapping[str, Part], n: int = N_DIFFERENT) -> list[Entry]:
    """Return the n bends that differ most, of those that can be heard and leave some sound (if there are enough)."""
    measured = [(entry, parts[entry.id].measured) for entry in entries]
    pool = [(entry, one) for entry, one in measured if one is not None]
    for wish in (_is_heard, _leaves_sound):
        fitting = [(entry, one) for entry, one in pool if wish(one)]
        pool = fitting if len(fitting) >= n else pool
    return [pool[index][0] for index in most_different([one.grid for _, one in pool], n)]


def _is_heard(measured: Measured) -> bool:
    return measured.change_db >= LEAST_DB


def _leaves_sound(measured: Measured) -> bool:
    return measured.changes["level_db"] > SILENT_DB


def different_patch(subject: Subject, chosen: Sequence[Entry], seed: int) -> Patch:
    """Return a patch of the chosen bends: the first is on, the others wait to be switched on."""
    bends = tuple(replace(entry.bend, on=index == 0) for index, entry in enumerate(chosen))
    return Patch(name=f"{len(bends)} bends", seed=seed, bends=bends)
