"""A take as a timeline: what was turned, when, to what. Pure."""

import json
from collections.abc import Iterable
from typing import Any

MAX_POINTS = 20_000


def lanes_of(lines: Iterable[str]) -> dict[str, Any]:
    """Return ``{"seconds", "lanes": [{"address", "points": [[seconds, value, ...], ...]}]}`` of a take's lines.

    A line that cannot be read is left out: the last one may be being written.

    >>> head = '{"audiobend_take": 1, "sample_rate": 100}'
    >>> lanes_of([head, '{"sample": 50, "n": 1, "address": "/audiobend/mix", "args": [0.5]}'])
    {'seconds': 0.5, 'lanes': [{'address': '/audiobend/mix', 'points': [[0.5, 0.5]]}]}
    """
    rate, last, n_points = 44100.0, 0.0, 0
    lanes: dict[str, list[list[Any]]] = {}
    for text in lines:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if "audiobend_take" in line:
            rate = float(line.get("sample_rate") or line.get("rate") or rate)
        if "sample" in line:
            last = max(last, line["sample"] / rate)
        if "address" in line and n_points < MAX_POINTS:
            n_points += 1
            # What was done before the sound began counts from its first sample.
            lanes.setdefault(line["address"], []).append([max(0.0, line["sample"] / rate), *line.get("args", [])])
    return {"seconds": last, "lanes": [{"address": one, "points": points} for one, points in lanes.items()]}
