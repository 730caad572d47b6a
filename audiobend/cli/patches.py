"""``audiobend transforms | layers | models | check``: what there is, and whether a patch fits it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiobend.cli.choices import OtherClusters
from audiobend.cli.screen import say, show_json, table
from audiobend.errors import PatchError

if TYPE_CHECKING:
    from audiobend.networks.model import Model
    from audiobend.networks.stylegan2_model import PictureModel

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
ANY_MODEL = "A shipped model, a bundle's folder, or a checkpoint of pictures."
ModelOption = Annotated[str | None, typer.Option(help=ANY_MODEL)]


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    for verb in (transforms, layers, models, check):
        app.command()(verb)


def transforms(json_: Json = False) -> None:
    """List every transform with its parameters, ranges and units."""
    from audiobend.bending import TRANSFORMS

    if json_:
        show_json(
            [
                {
                    "name": transform.name,
                    "family": transform.family,
                    "description": transform.description,
                    "params": [
                        {
                            "name": param.name,
                            "low": param.low,
                            "high": param.high,
                            "default": param.default,
                            "unit": param.unit,
                            "integer": param.integer,
                            "help": param.help,
                        }
                        for param in transform.params
                    ],
                }
                for transform in TRANSFORMS.values()
            ]
        )
        return
    rows = [
        [
            transform.family,
            transform.name,
            ", ".join(f"{p.name} {p.low:g}..{p.high:g}{' ' + p.unit if p.unit else ''}" for p in transform.params),
            transform.description,
        ]
        for transform in TRANSFORMS.values()
    ]
    table("Transforms", ["family", "transform", "parameters", "what it does"], rows)


def layers(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help=ANY_MODEL)] = None,
    same_model: Annotated[str | None, typer.Option("--model", help="The same.")] = None,
    clusters: OtherClusters = None,
    json_: Json = False,
) -> None:
    """List a model's layers and clusters.

    For example: audiobend layers tiles-64
    """
    the_model = _load(model or same_model, clusters)
    entries = []
    for layer in the_model.network.layers():
        names: dict[int, str] = {}
        facts: dict[int, dict[str, Any]] = {}
        if the_model.clusters and layer.name in the_model.clusters:
            of_layer = the_model.clusters.of_layer(layer.name)
            names = {k: of_layer.label(k) for k in range(of_layer.n_clusters)}
            facts = {k: dict(found) for k, found in of_layer.descriptors.items()}
        entries.append((layer, names, facts))
    if json_:
        show_json(
            [
                {
                    "layer": layer.name,
                    "features": layer.n_features,
                    layer.axes[0]: layer.height,
                    layer.axes[1]: layer.width,
                    "clusters": names,
                    "descriptors": facts,
                }
                for layer, names, facts in entries
            ]
        )
        return
    rows = [
        [str(layer.name), str(layer.n_features), f"{layer.height} x {layer.width}", "; ".join(
            f"{index}: {name}" for index, name in names.items()
        )]
        for layer, names, _ in entries
    ]
    axes = " x ".join(the_model.network.layers()[-1].axes)
    table(f"Layers of {the_model.name} (maps: {axes})", ["layer", "features", "map", "clusters"], rows)


def models(json_: Json = False) -> None:
    """List the installed models."""
    import yaml

    from audiobend.io.modelbundle import list_models, list_picture_models

    def read(path: Path) -> "dict[str, Any]":
        card: dict[str, Any] = yaml.safe_load((path / "model.yaml").read_text(encoding="utf-8"))
        return card

    cards = {name: read(path) for name, path in list_models().items()}
    pictures = {name: read(path) for name, path in list_picture_models().items()}
    if json_:
        show_json(cards | pictures)
        return
    rows = []
    for name, card in cards.items():
        figures, training = card["metrics"]["model"], card["training"]
        fidelity = f"log-spectral distance {figures['lsd_all']:.1f} dB, spectral convergence {figures['sc']:.2f}"
        rows.append([name, f"width {card['architecture']['width']}", fidelity, f"{training['tracks']} tracks"])
    table("Models", ["model", "size", "where nothing is bent", "trained on"], rows)
    painted = []
    for name, card in pictures.items():
        height, width = card["architecture"]["size"]
        painted.append([name, f"{width} by {height}", f"{card['training']['pictures']} pictures"])
    if painted:
        table("Models of pictures", ["model", "pixels", "trained on"], painted)


def check(
    patch: Annotated[Path, typer.Argument(help="Patch file: audiobend's, network-bending's or a StyleGAN template.")],
    model: ModelOption = None,
    json_: Json = False,
) -> None:
    """Check a patch against a model.

    Nothing is rendered; a mistake is one sentence and exit status 2.
    """
    from audiobend.io.patchfile import load_patch
    from audiobend.io.yamlfile import named

    the_patch = load_patch(patch)
    the_model = _load(model, None)
    plan = named(patch, lambda: the_model.resolve(the_patch), error=PatchError)
    entries = [
        {
            "id": bend.id,
            "layer": bend.layer,
            "transform": bend.transform,
            "params": dict(bend.params),
            "features": len(plan.features_of(bend.id)),
            "mix": bend.mix,
            "on": bend.on,
        }
        for bend in the_patch.bends
    ]
    if json_:
        show_json({"patch": the_patch.name, "model": the_model.name, "bends": entries})
        return
    rows = [
        [
            str(entry["id"]),
            f"layer {entry['layer']}",
            str(entry["transform"]),
            ", ".join(f"{k} {v:g}" for k, v in bend.params.items()),
            f"{entry['features']} features",
            "on" if bend.on else "off",
        ]
        for entry, bend in zip(entries, the_patch.bends, strict=True)
    ]
    table(the_patch.name or patch.name, ["bend", "layer", "transform", "values", "features", ""], rows)
    say(f"{patch}: fits {the_model.name}")


def _load(name: str | None, clusters: Path | None) -> "Model | PictureModel":
    """Load a model of sound or of pictures."""
    from audiobend.io.modelbundle import load_model
    from audiobend.io.picturemodel import is_picture_model, load_picture_model

    if name is not None and is_picture_model(name):
        return load_picture_model(name, clusters)
    return load_model(name, clusters=clusters)
