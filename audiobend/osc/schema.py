"""The table of addresses for others to read: as data for programs, as a page for people."""

from collections.abc import Iterable
from typing import Any

from audiobend.bending.macros import N_MACROS
from audiobend.control import Context
from audiobend.osc.encode import PROTOCOL, ROOT
from audiobend.osc.row import Row
from audiobend.osc.rows import (
    REPLIES,
    bend_forms,
    chain_rows,
    latent_rows,
    layer_rows,
    macro_rows,
    output_rows,
    scene_rows,
    service_rows,
)

PORT = 9001


def rows(context: Context) -> list[Row]:
    """Return every row of the table."""
    fixed = (*output_rows(), *chain_rows(), *scene_rows(), *macro_rows(), *service_rows())
    return [*fixed, *layer_rows(context.transforms), *bend_forms(), *latent_rows()]


def schema(context: Context) -> dict[str, Any]:
    """Return the table as plain data: what the placeholders stand for, the rows, and the replies."""
    return {
        "protocol": PROTOCOL,
        "port": PORT,
        "model": context.model,
        "layers": [
            {
                "layer": str(one.name),
                "features": one.n_features,
                one.axes[0]: one.height,
                one.axes[1]: one.width,
                "clusters": [
                    context.cluster_label(one.name, index) for index in range(context.n_clusters(one.name))
                ],
            }
            for one in context.layers
        ],
        "axes": context.n_axes,
        "placeholders": {
            "layer": "the 'layer' of an entry of layers",
            "features": "all, or cluster/K with K below the number of the layer's clusters",
            "axis": "0 to axes - 1",
            "macro": f"1 to {N_MACROS}",
            "id": "the id of a bend of the patch",
            "param": "a parameter of the bend's transform",
        },
        "addresses": [_entry(row) for row in rows(context)],
        "replies": [
            {"path": f"{ROOT}/{one.path}", "types": one.types, "description": one.description} for one in REPLIES
        ],
    }


def _entry(row: Row) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": f"{ROOT}/{row.path}", "types": row.types, "access": row.access, "kind": row.kind}
    if row.optional:
        entry["optional"] = row.optional
    if row.kind == "norm" or row.kind == "switch":
        entry |= {"min": 0, "max": 1}
    elif row.param is not None:
        entry |= {"min": row.param.low, "max": row.param.high}
    if row.default is not None:
        entry["default"] = row.default
    if row.param is not None and row.param.unit and row.kind == "number":
        entry["unit"] = row.param.unit
    return entry | {"description": row.description}


def markdown(context: Context) -> str:
    """Return the table as a page: fixed addresses, then those of every layer, bend and axis, then the replies."""
    parts = [
        ("The whole sound", output_rows()),
        ("The chain of bends", chain_rows()),
        ("Scenes and models", scene_rows()),
        ("Macros", macro_rows()),
        ("Questions", service_rows()),
        ("Bends of the patch, by their id", bend_forms()),
        ("The latent code", latent_rows()),
        ("Every layer: all its features, or one cluster", layer_rows(context.transforms)),
    ]
    lines: list[str] = []
    for title, of_part in parts:
        lines += [f"### {title}", "", *_table(of_part), ""]
    lines += ["### Replies", "", "| address | types | what it says |", "|---|---|---|"]
    lines += [f"| `{ROOT}/{one.path}` | `{one.types}` | {one.description} |" for one in REPLIES]
    return "\n".join(lines) + "\n"


def _table(of_part: Iterable[Row]) -> list[str]:
    head = ["| address | types | range | default | | what it does |", "|---|---|---|---|---|---|"]
    return [*head, *(_line(row) for row in of_part)]


def _line(row: Row) -> str:
    types = f"`{row.types}`" if row.types else ""
    default = "" if row.default is None else f"{row.default:.4g}"
    return f"| `{ROOT}/{row.path}` | {types} | {span(row)} | {default} | {row.access} | {row.description} |"


def span(row: Row) -> str:
    """Return the range of a row in words; empty where it has none."""
    if row.kind == "switch":
        return "0 or 1"
    if row.kind == "norm":
        return "0..1"
    return row.param.span if row.param is not None else ""
