"""A take as a timeline: what was turned, when, to what. Pure."""

import json
from collections.abc import Iterable
from typing import Any

MAX_POINTS = 20_000


def lanes_of(lines: Iterable[str]) -> dict[str, Any]:
    """Return what was done in a take: ``seconds``, ``moves``, ``is_whole`` and ``lanes``.

    A lane is ``{"address", "points": [[seconds, value, ...], ...]}``. Seconds count from where the recording started;
    what was done before left one point at 0: how things stood then. It is whole once the recording has stopped.
    A line that cannot be read is left out: the last one may be being written.

    >>> head = '{"audiobend_take": 1, "sample_rate": 100}'
    >>> lanes_of([head, '{"sample": 50, "n": 1, "address": "/audiobend/mix", "args": [0.5]}'])
    {'seconds': 0.5, 'moves': 1, 'is_whole': False, 'lanes': [{'address': '/audiobend/mix', 'points': [[0.5, 0.5]]}]}
    """
    rate, first, last, stop = 44100.0, 0, 0, None
    moves: list[tuple[int, str, list[Any]]] = []
    for text in lines:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        rate = float(line.get("sample_rate", rate)) if "audiobend_take" in line else rate
        sample = line.get("sample")
        if sample is None:
            continue
        first = sample if line.get("event") == "started" else first
        stop = sample if line.get("event") == "stopped" else stop
        last = max(last, sample)
        if "address" in line and len(moves) < MAX_POINTS:
            moves.append((sample, line["address"], line.get("args", [])))
    lanes: dict[str, list[list[Any]]] = {}
    for sample, address, args in moves:
        points, at = lanes.setdefault(address, []), max(0.0, (sample - first) / rate)
        if points and points[-1][0] == at == 0.0:
            points.pop()
        points.append([at, *args])
    return {
        "seconds": max(0.0, ((last if stop is None else stop) - first) / rate),
        "moves": sum(sample >= first for sample, _, _ in moves),
        "is_whole": stop is not None,
        "lanes": [{"address": one, "points": points} for one, points in lanes.items()],
    }
