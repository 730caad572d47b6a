"""Measure the shipped models, and write their figures onto their cards and into docs/models.md.

    python benchmarks/make_cards.py CORPUS [--model NAME]... [--weight WORDS=SHARE]... [--pca FILE]
    python benchmarks/make_cards.py             # only writes the tables anew, from the figures in every model.yaml

CORPUS is the folder that the models were trained on, with the tracks that their cards name as kept out. Takes about
five minutes a model on two cores, two of them to fit the PCA that stands beside it (--pca: one that
``audiobend eval --save-pca`` kept). A model without a card gets one, with the licences that --attribution holds: a
file, or another card. Prose on cards is kept by hand; what lies between marks is written here.
"""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import layers
import torch
import yaml

from audiobend.io.files import write_atomically
from audiobend.io.modelbundle import list_models, load_model
from audiobend.train.baselines import PCA
from audiobend.train.evaluation import WINDOWS, choose, is_among, kept_out, means, measure, read_or_fit_pca
from audiobend.train.report import legend, markdown_table, text_table
from audiobend.train.sounds import find_sounds
from audiobend.train.windows import read_weights

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "models.md"
BASELINES = ("wrong window", "mean spectrum", "silence")
SHOWN = "audiobend eval {name} CORPUS --windows {windows} --pca CORPUS{weights}"


def measured_card(name: str, corpus: Path, weights: Sequence[str], pca: PCA | None) -> tuple[dict[str, Any], PCA]:
    """Return a model's card with figures measured anew, and the PCA beside it."""
    model = load_model(name)
    sounds = choose(model, [corpus])
    if not all(is_among(sound, kept_out(model)) for sound in sounds):
        sys.exit(f"{corpus}: holds none of the tracks that the card of {name} names as kept out of training")
    fits = pca and len(pca.components) == model.network.n_latent
    if not pca or not fits or any(is_among(sound, pca.tracks) for sound in sounds):
        pca = read_or_fit_pca(model, corpus, sounds, read_weights(weights))
    measured = [measure(model, sound, WINDOWS, pca) for sound in sounds]
    print(f"{name}\n{text_table(measured)}", flush=True)
    result = layers.measure(model, layers.SOUNDS)
    print(layers.text(layers.facts(result)), flush=True)
    layers.draw(result, picture(name), f"{layers.SOUNDS[0].stem}, {name}")
    rows = {row: _rounded(figures) for row, figures in means(measured).items()}
    card = {key: value for key, value in model.card.items() if key not in ("metrics", "baselines", "layers")}
    card["training"] = _with_names(card["training"], model_names=[sound.name for sound in find_sounds([corpus])])
    shown = "".join(f" --weight {shlex.quote(weight)}" for weight in weights)
    card["metrics"] = rows
    card["baselines"] = {
        "command": SHOWN.format(name=name, windows=WINDOWS, weights=shown),
        "windows": WINDOWS,
        "figures": {pca.name: {one.sound.name: _rounded(one.rows[pca.name]) for one in measured}},
    }
    card["layers"] = layers.facts(result)
    return card, pca


def _with_names(training: Mapping[str, Any], model_names: list[str]) -> dict[str, Any]:
    """Return what a card says of training, with the names of the tracks if it is so old that it lacks them."""
    names = [name for name in model_names if name not in training["kept_out"]]
    if "trained_on" in training or len(names) != training["tracks"]:
        return dict(training)
    return {**training, "trained_on": names}


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {key: round(value, 3) for key, value in figures.items()}


def picture(name: str) -> Path:
    """Return where the picture of a model's layers lies."""
    return ROOT / "docs" / f"layers_{name}.png"


def read_card(name: str) -> dict[str, Any]:
    """Return a model's ``model.yaml``."""
    card: dict[str, Any] = yaml.safe_load((list_models()[name] / "model.yaml").read_text(encoding="utf-8"))
    return card


def figures_block(card: Mapping[str, Any]) -> str:
    """Return the table of figures for a card."""
    tracks = len(card["training"]["kept_out"])
    command = card.get("baselines", {}).get("command", "audiobend train")
    return (
        f"Mean of the {tracks} tracks kept out, {card.get('baselines', {}).get('windows', 16)} windows each, "
        f"dB relative to each track's loudest bin:\n\n{markdown_table(card['metrics'], {'model': 'this model'})}\n\n"
        f"{legend()}\n\nMade by `{command}`."
    )


def layers_block(card: Mapping[str, Any]) -> str:
    """Return the tables of what each layer does."""
    return f"{layers.markdown(card['layers'])}\n\nMade by `python benchmarks/layers.py`." if "layers" in card else ""


def overview_block(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one table of all models, and of what one gets without any."""
    rows = {f"**{name}**": card["metrics"]["model"] for name, card in cards.items()}
    measured = [card["metrics"] for card in cards.values()]
    rows |= {name: figures for one in measured for name, figures in one.items() if name.startswith("PCA")}
    rows |= {name: measured[0][name] for name in BASELINES if name in measured[0]}
    return f"{markdown_table(rows)}\n\n{legend()}"


def all_layers_block(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """Return every model's picture and tables of layers."""
    parts = [
        f"### {name}\n\n![{name}: unbent, and a random quarter of layers 1 to 4 ablated]({picture(name).name})\n\n"
        f"{layers.markdown(card['layers'])}"
        for name, card in cards.items()
        if "layers" in card
    ]
    return "\n\n".join(parts)


def with_block(text: str, name: str, block: str) -> str:
    """Return a page with what lies between ``<!-- name -->`` and ``<!-- /name -->`` replaced."""
    begin, end = f"<!-- {name}: written by benchmarks/make_cards.py -->", f"<!-- /{name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"a page lacks the marks {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n\n{block}\n\n{end}", text)


def pages() -> dict[Path, str]:
    """Return every page with its tables as they should be, from what each model.yaml says."""
    cards = {name: read_card(name) for name in list_models()}
    page = with_block(PAGE.read_text(encoding="utf-8"), "figures", overview_block(cards))
    written = {PAGE: with_block(page, "layers", all_layers_block(cards))}
    for name, card in cards.items():
        path = ROOT / "models" / name / "card.md"
        text = with_block(path.read_text(encoding="utf-8"), "figures", figures_block(card))
        written[path] = with_block(text, "layers", layers_block(card))
    return written


def first_card(name: str, card: Mapping[str, Any], attribution: Path | None) -> str:
    """Return a card for a model that has none, to be completed by hand."""
    training, recipe = card["training"], card["training"]["recipe"]
    started = training.get("started_from", {}).get("model")
    settings = ", ".join(f"{key} {value}" for key, value in recipe.items() if value not in (None, ""))
    return f"""# {name}

A spectrogram VAE (Broad, Leymarie and Grierson 2022, section 3.2) at {card['architecture']['width']:g} of the paper's
feature counts, latent {card['architecture']['latent']}: 44.1 kHz, STFT 1024/256, windows of 128 columns. Weights are
stored in float16, without the log-variance head, which only training needs.

**Licence of the weights:** CC BY-SA 4.0, because some of the recordings below are under CC BY-SA. Keep this card with
them.

## Training

{training['tracks']} recordings, {training['minutes']:g} minutes, {training['steps']} steps,
{training['windows']} windows{f", begun from {started}" if started else ""}. Recipe: {settings}.

Kept out of training: {', '.join(training['kept_out'])}.

## Fidelity where nothing is bent

<!-- figures: written by benchmarks/make_cards.py -->
<!-- /figures -->

{_curve(name)}

{card['latent']['active']} of {card['architecture']['latent']} latents are active; the participation ratio of their
principal axes is {card['latent']['participation']:g}.

## What its layers do

<!-- layers: written by benchmarks/make_cards.py -->
<!-- /layers -->

## Attribution

{_attribution(attribution)}
"""


def _curve(name: str) -> str:
    path = list_models()[name] / "curve.jsonl"
    if not path.is_file():
        return ""
    points = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    words = "; ".join(f"{point['minutes']:g} min {point['lsd_all']:.2f} dB" for point in points)
    return f"Learning curve (same tracks, measured during training): {words}."


def _attribution(path: Path | None) -> str:
    if path is None:
        return "(Name the recordings, their authors and licences here.)"
    text = path.read_text(encoding="utf-8")
    return text.split("## Attribution", 1)[-1].strip()


def write(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?")
    parser.add_argument("--model", action="append", help="measure this model only")
    parser.add_argument("--weight", action="append", default=[], help="as in training: WORDS=SHARE")
    parser.add_argument("--pca", type=Path, help="a PCA that was kept")
    parser.add_argument("--attribution", type=Path, help="for the card of a model that has none")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = (options.model or list(list_models())) if options.corpus else []
    pca = None
    for name in names:
        if options.pca and pca is None:
            pca = read_or_fit_pca(load_model(name), options.pca, [])
        card, pca = measured_card(name, options.corpus, options.weight, pca)
        folder = list_models()[name]
        write(folder / "model.yaml", yaml.safe_dump(card, sort_keys=False, allow_unicode=True))
        if not (folder / "card.md").is_file():
            write(folder / "card.md", first_card(name, card, options.attribution))
    for path, text in pages().items():
        write(path, text)


if __name__ == "__main__":
    main()
