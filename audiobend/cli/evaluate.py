"""``audiobend eval``: how faithful a model is where nothing is bent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiobend.cli.screen import progress_bar, say, show_json

if TYPE_CHECKING:
    from audiobend.networks.model import Model
    from audiobend.train.baselines import PCA
    from audiobend.train.evaluation import Measured


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command("eval")(evaluate)


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a shipped model, or a bundle's folder.")],
    sounds: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES...",
            help="Sound files, or folders: of a folder only the tracks that the model's card keeps out of training, "
            "if any are there.",
        ),
    ],
    windows: Annotated[int, typer.Option(min=1, max=4096, help="Windows per file, evenly spaced.")] = 32,
    all_: Annotated[bool, typer.Option("--all", help="Take every file of a folder.")] = False,
    pca: Annotated[
        Path | None,
        typer.Option(
            help="Compare with a linear autoencoder of the same code size: a folder of the training music to fit it "
            "to (a minute or two), or a file made with --save-pca."
        ),
    ] = None,
    save_pca: Annotated[Path | None, typer.Option(help="Keep the fitted PCA in this .safetensors file.")] = None,
    pca_windows: Annotated[int, typer.Option(min=2, max=65536, help="Windows that the PCA is fitted to.")] = 8192,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS=SHARE", help="Share of these windows for tracks whose names hold the words."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the windows that the PCA is fitted to.")] = 0,
    plots: Annotated[Path | None, typer.Option(help="Folder for pictures of every file, and of all of them.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Measure how faithful a model is, beside what one gets without any.

    For example: audiobend eval corpus-quarter my_music --pca my_music --plots pictures
    """
    from audiobend.io.modelbundle import load_model
    from audiobend.train.baselines import save_pca as save
    from audiobend.train.evaluation import choose, measure, read_or_fit_pca, warn_of_training
    from audiobend.train.pictures import draw_all, picture_paths
    from audiobend.train.report import text_table

    _check(plots, pca, save_pca)
    the_model = load_model(model)
    chosen = choose(the_model, sounds, all_)
    if plots:
        picture_paths(plots, chosen)    # before the work, not after it
    the_pca = None
    if pca:
        from audiobend.train.windows import read_weights

        with progress_bar("fitting the PCA", json_) as advance:
            shares = read_weights(weight or [])
            the_pca = read_or_fit_pca(the_model, pca, chosen, shares, pca_windows, seed, advance)
        if save_pca:
            save(the_pca, save_pca)
    measured = []
    with progress_bar("measuring", json_) as advance:
        for index, sound in enumerate(chosen):
            measured.append(measure(the_model, sound, windows, the_pca))
            advance((index + 1) / len(chosen))
    warn_of_training(measured)
    if plots:
        with progress_bar("drawing", json_) as advance:
            draw_all(plots, the_model, measured, the_pca, advance)
    if json_:
        show_json(_document(the_model, measured, windows, the_pca))
        return
    say(f"{the_model.name}, {windows} windows of each file, nothing bent")
    say(text_table(measured))
    say(_about_pca(the_model, measured, the_pca))


def _check(plots: Path | None, pca: Path | None, save_pca: Path | None) -> None:
    from audiobend.errors import TrainingError
    from audiobend.train.baselines import check_pca_name

    if plots and plots.exists() and not plots.is_dir():
        raise TrainingError(f"{plots}: is a file, not a folder; give --plots a folder")
    if pca and not pca.exists():
        raise TrainingError(f"{pca}: there is no such folder or file; give --pca the folder of the training music")
    if save_pca and not pca:
        raise TrainingError("--save-pca needs --pca FOLDER, to fit one")
    if save_pca:
        check_pca_name(save_pca)


def _about_pca(model: "Model", measured: list["Measured"], pca: "PCA | None") -> str:
    from audiobend.train.evaluation import STORED

    if pca:
        return f"{pca.name}: fitted to {len(pca.tracks)} tracks"
    if any(name.endswith(STORED) for one in measured for name in one.rows):
        return f"stored: as measured with {model.card['baselines']['command']}"
    return "for a PCA of the same code size, the honest comparison, add --pca FOLDER with the training music"


def _document(model: "Model", measured: list["Measured"], windows: int, pca: "PCA | None") -> dict[str, Any]:
    from audiobend.train.evaluation import means

    return {
        "model": model.name,
        "fingerprint": model.fingerprint,
        "windows": windows,
        "pca": {"components": len(pca.components), "tracks": list(pca.tracks)} if pca else None,
        "mean": means(measured),
        "files": [
            {
                "file": str(one.sound.path),
                "name": one.sound.name,
                "kept_out": one.kept_out,
                "trained_on": one.trained_on,
                "figures": one.rows,
            }
            for one in measured
        ],
    }
