"""A catalog as data: one document, as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from audiobend.clustering.catalog.entries import Entry
from audiobend.clustering.catalog.store import REFERENCES, SOUNDS, Part
from audiobend.clustering.catalog.subject import Subject
from audiobend.clustering.descriptors import NAMES
from audiobend.io.files import MARK
from audiobend.networks.model import Model

_COLUMNS = ("id", "layer", "cluster", "label", "features", "transform", "params", "mix", "strength", "change_db")


def document(
    model: Model,
    subject: Subject,
    seed: int,
    entries: Sequence[Entry],
    parts: Mapping[str, Part],
    most_different: Sequence[str],
) -> dict[str, Any]:
    """Return everything that was found, entries from the greatest change to the least, failed ones last."""
    rows = [_row(entry, parts[entry.id]) for entry in entries]
    rows.sort(key=lambda row: (row["change_db"] is None, -(row["change_db"] or 0), row["id"]))
    return {
        "audiobend-catalog": 1,
        "about": MARK,
        "sound": {
            "name": subject.name, "start": subject.start, "seconds": subject.seconds, "channels": len(subject.samples),
        },
        "model": {"name": model.name, "fingerprint": model.fingerprint},
        "seed": seed,
        "transforms": list(dict.fromkeys(entry.transform for entry in entries)),
        "references": {name: f"{SOUNDS}/{name}.mp3" for name in REFERENCES},
        "most_different": list(most_different),
        "entries": rows,
    }


def _row(entry: Entry, part: Part) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": entry.id,
        "layer": entry.layer,
        "cluster": entry.cluster,
        "label": entry.label,
        "features": len(entry.features),
        "transform": entry.transform,
        "params": dict(entry.params),
        "mix": entry.mix,
        "strength": entry.strength,
        "patch": entry.line,
        "change_db": None,
        "changes": {},
        "sound": None,
    }
    if part.measured is None:
        return {**row, "error": part.error}
    changes = {name: round(value, 3) for name, value in part.measured.changes.items()}
    sound = f"{SOUNDS}/{entry.id}.mp3"
    return {**row, "change_db": round(part.measured.change_db, 3), "changes": changes, "sound": sound}


def json_text(content: Mapping[str, Any]) -> str:
    """Return the document as JSON."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def csv_text(content: Mapping[str, Any]) -> str:
    """Return the entries as CSV, a row each; cells of failed ones stay empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *NAMES, "sound", "patch", "error"])
    for row in content["entries"]:
        params = " ".join(f"{name}={value:g}" for name, value in row["params"].items())
        facts = {**row, "params": params, "label": _plain(row["label"])}
        cells = [facts[name] for name in _COLUMNS] + [row["changes"].get(name) for name in NAMES]
        writer.writerow([*cells, row["sound"], row["patch"], row.get("error")])
    return text.getvalue()


def _plain(label: str) -> str:
    """Keep a label from being taken for a formula by a spreadsheet."""
    return f"'{label}" if label[:1] in "=+-@\t\r" else label
