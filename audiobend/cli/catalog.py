"""``audiobend catalog``: every cluster bent in several ways, on one page to listen to."""

from pathlib import Path
from typing import Annotated

import typer

from audiobend.cli.choices import OtherClusters
from audiobend.cli.screen import progress_bar, say, show_json


def add_to(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command("catalog")(catalog)


def catalog(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a shipped model, or a bundle's folder.")],
    sound: Annotated[Path, typer.Argument(metavar="SOUND", help="A sound file.")],
    out: Annotated[Path, typer.Option(help="Folder for the page, its sounds and tables.")] = Path("catalog"),
    transforms: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Transforms to try, such as erode,rotate. [default: six]")
    ] = None,
    strengths: Annotated[int, typer.Option(min=1, max=8, help="How many strengths of each.")] = 2,
    seconds: Annotated[float, typer.Option(min=0.25, max=30, help="How much of the sound is bent.")] = 10.0,
    start: Annotated[float | None, typer.Option(min=0, help="From where on, in s. [default: the loudest part]")] = None,
    clusters: OtherClusters = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes that work side by side.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Bend a sound in every layer, cluster and way; rank the results on a page with players.

    Interrupted, it goes on where it was when it is run again.

    For example: audiobend catalog corpus-quarter track.wav --out catalog
    """
    from time import perf_counter

    from audiobend.clustering.catalog.ladder import DEFAULT_TRANSFORMS, check_transforms
    from audiobend.clustering.catalog.making import make_catalog
    from audiobend.clustering.catalog.store import Store
    from audiobend.clustering.catalog.subject import read_subject
    from audiobend.io.modelbundle import load_model

    begun = perf_counter()
    names = DEFAULT_TRANSFORMS if transforms is None else [name.strip() for name in transforms.split(",")]
    chosen = check_transforms(names)
    Store(out).check()
    the_model = load_model(model, clusters=clusters)
    subject = read_subject(sound, seconds, start, the_model.codec.sample_rate)
    with progress_bar(f"bending {subject.name}", quiet or json_) as advance:
        made = make_catalog(
            the_model, subject, out, transforms=chosen, n_strengths=strengths, jobs=jobs, seed=seed, on_progress=advance
        )
    took = perf_counter() - begun
    if json_:
        facts = {name: made.document[name] for name in ("sound", "model", "seed", "most_different")}
        counts = {"entries": len(made.document["entries"]), "rendered": made.rendered, "kept": made.kept}
        how = {"failed": dict(made.failed), "took_seconds": round(took, 1)}
        show_json({"page": str(made.page), **facts, **counts, **how})
    elif not quiet:
        kept = f", {made.kept} kept from before" if made.kept else ""
        say(f"{made.page}: {len(made.document['entries'])} bends of {subject.name}{kept}, in {took:.0f} s")
        for name, why in made.failed.items():
            say(f"  {name} failed: {why}")
