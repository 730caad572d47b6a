"""Write docs/transforms.md from the registry; a test fails when it is stale.

    python docs/make_reference.py
"""

from pathlib import Path

from audiobend.bending import TRANSFORMS, Param
from audiobend.bending.latent import LATENT_OPS
from audiobend.bending.weights import WEIGHT_OPS

HERE = Path(__file__).parent
HEAD = """# Transforms

Written by `docs/make_reference.py` from the registry. `x` runs along frequency (the maps' width), `y` along time (their
height).
Every bend also has `mix` in 0..1: 0 leaves the maps as they are, bit for bit.
"""


def parameters(params: tuple[Param, ...]) -> str:
    """Return a table cell for some parameters."""
    cells = []
    for param in params:
        unit = f" {param.unit}" if param.unit else ""
        note = f" ({param.help})" if param.help else ""
        cells.append(f"`{param.name}` {param.low:g}..{param.high:g}{unit}, default {param.default:g}{note}")
    return "<br>".join(cells)


def table(entries: dict) -> list[str]:
    """Return the lines of a table of transforms or operations."""
    rows = [f"| `{name}` | {parameters(entry.params)} | {entry.description} |" for name, entry in entries.items()]
    return ["| name | parameters | what it does |", "|---|---|---|", *rows, ""]


def reference() -> str:
    """Return the whole page."""
    families: dict[str, dict] = {}
    for name, transform in TRANSFORMS.items():
        families.setdefault(transform.family, {})[name] = transform
    lines = [HEAD]
    for family, entries in families.items():
        lines += [f"## {family.capitalize()}", "", *table(entries)]
    lines += ["## On the latent code (`latent:`)", "", *table(LATENT_OPS)]
    lines += ["## On kernels (`weights:`)", "", *table(WEIGHT_OPS)]
    return "\n".join(lines)


if __name__ == "__main__":
    (HERE / "transforms.md").write_text(reference())
