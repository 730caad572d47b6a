"""Values of the state as addresses have them on the wire."""

from audiobend.bending import All, Cluster, Indices, Random, Range
from audiobend.bending.features import Features
from audiobend.control import State, read
from audiobend.osc.encode import Sent
from audiobend.osc.row import to_norm
from audiobend.osc.tree import Leaf


def wire_values(leaf: Leaf, state: State) -> tuple[Sent, ...]:
    """Return the arguments that tell the value of an address; `AudiobendError` where it has none now."""
    value = read(state, leaf.target, leaf.place)
    return tuple(value) if leaf.row.kind in ("lfo", "action") else (as_sent(leaf, value),)


def wire_value(leaf: Leaf, state: State) -> Sent:
    """Return the first of `wire_values`; of a movement that is its shape."""
    return wire_values(leaf, state)[0]


def as_sent(leaf: Leaf, value: object) -> Sent:
    """Return a value of the state as one address has it: a norm as its share, a selection as text."""
    row = leaf.row
    if row.kind == "norm" and row.param is not None and isinstance(value, int | float):
        return float(to_norm(row.param, value))
    if row.types == "f" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return plain(value)


def plain(value: object) -> Sent:
    """Return a value of the state as OSC can carry it: a switch as 0 or 1, a selection as text."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float | str) else features_text(value)    # type: ignore[arg-type]


def features_text(features: Features) -> str:
    """Return a selection of features as `parse_features` reads it.

    >>> features_text(Cluster((1, 2)))
    'cluster 1,2'
    """
    match features:
        case All():
            return "all"
        case Cluster(indices):
            return f"cluster {','.join(map(str, indices))}"
        case Random(fraction, None):
            return f"random {fraction}"
        case Random(fraction, seed):
            return f"random {fraction} {seed}"
        case Range(low, high):
            return f"range {low} {high}"
        case Indices(indices):
            return f"indices {','.join(map(str, indices))}"
