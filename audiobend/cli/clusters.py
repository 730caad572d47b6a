"""What ``audiobend cluster`` reads from its words, and what it shows."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiobend.cli.screen import progress_bar, say, show_json, table
from audiobend.errors import ClusteringError
from audiobend.io.files import check_readable

if TYPE_CHECKING:
    from audiobend.bending import Clusters
    from audiobend.clustering.find import Found
    from audiobend.clustering.listening import Progress, Stage
    from audiobend.networks.bendable import LayerName
    from audiobend.networks.model import Model
    from audiobend.networks.stylegan2_model import PictureModel


def which_sounds(sounds: list[Path], one: Path | None) -> list[Path]:
    """Return what is to be listened to: a folder or files, or one sound, not both."""
    if one is not None:
        if sounds:
            raise ClusteringError(f"--for-this-sound {one}: clusters are of this sound alone; leave out the others")
        check_readable(one, ClusteringError)
        return [one]
    if not sounds:
        raise ClusteringError("give a folder of sound to listen to, such as the training music, or --for-this-sound")
    return sounds


def layer_names(words: str | None) -> "tuple[LayerName, ...] | None":
    """Read layers as one types them.

    >>> layer_names("1,2, e3")
    (1, 2, 'e3')
    """
    if words is None:
        return None
    names = [word.strip() for word in words.split(",")]
    return tuple(int(name) if name.isdecimal() else name for name in names)


def numbers(words: str | None) -> tuple[int, ...] | None:
    """Read numbers of clusters as one types them.

    >>> numbers("5,5,4,4")
    (5, 5, 4, 4)
    """
    if words is None:
        return None
    given = [word.strip() for word in words.split(",")]
    if not all(number.isdecimal() and len(number) < 6 for number in given):
        raise ClusteringError(f"--clusters {words}: needs whole numbers, one for each layer, such as 5,5,4,4")
    return tuple(map(int, given))


def check_targets(targets: list[Path], plots: Path | None, read: list[Path], overwrite: bool) -> None:
    """Look before the work begins: nothing that is read is overwritten, nor anything else unasked."""
    from audiobend.io.files import check_not_an_input

    for target in targets:
        check_not_an_input(target, read, ClusteringError)
        if target.is_dir():
            raise ClusteringError(f"{target}: is a folder, not a file")
        if not target.absolute().parent.is_dir():
            raise ClusteringError(f"{target}: the folder {target.parent} does not exist")
        if target.exists() and not overwrite:
            raise ClusteringError(f"{target}: exists; add --overwrite to replace it, or choose another --out")
    if plots:
        from audiobend.clustering.cluster_pictures import make_picture_folder

        make_picture_folder(plots)


@contextmanager
def stages(quiet: bool) -> "Iterator[Stage]":
    """Give what shows one bar after the other, each with the time left."""
    with ExitStack() as stack:

        def stage(what: str) -> "Progress":
            stack.close()
            return stack.enter_context(progress_bar(what, quiet))

        yield stage


def draw(model: "Model | PictureModel", found: "Found", folder: Path) -> list[Path]:
    """Draw where each cluster acts, a picture for each layer, and return the files."""
    from audiobend.clustering.cluster_pictures import draw_layer, picture_path, where_it_acts

    last = model.network.layers()[-1]
    paths = []
    for spec in model.network.layers():
        if spec.name in found.mean_abs:
            of_layer = found.clusters.of_layer(spec.name)
            maps = where_it_acts(found.mean_abs[spec.name], of_layer, (last.height, last.width))
            paths.append(picture_path(folder, spec.name))
            draw_layer(paths[-1], f"{model.name}, layer {spec.name}", maps, of_layer, spec.axes)
    return paths


def tell(model: "Model | PictureModel", clusters: "Clusters", written: list[Path], as_json: bool) -> None:
    """Show the clusters, how they were made, how firm they are, and where they lie."""
    if as_json:
        show_json(
            {
                "model": model.name,
                "fingerprint": model.fingerprint,
                "written": [str(path) for path in written],
                "made": clusters.made,
                "layers": {str(layer): _of_layer(clusters, layer) for layer in clusters.layers},
            }
        )
        return
    rows = [
        [str(layer), str(k), str(one["features"]), one["name"]]
        for layer in clusters.layers
        for k, one in _of_layer(clusters, layer).items()
    ]
    table(f"Clusters of {model.name} by {clusters.made['method']}", ["layer", "cluster", "features", "name"], rows)
    for layer, figures in clusters.made["figures"].items():
        if figures:
            say(f"layer {layer}: " + ", ".join(_in_words(name, value) for name, value in figures.items()))
    for path in written:
        say(f"wrote {path}")


def _of_layer(clusters: "Clusters", layer: "LayerName") -> dict[int, dict[str, Any]]:
    of_layer = clusters.of_layer(layer)
    return {
        k: {"name": of_layer.label(k), "features": len(of_layer.features_of(k))} for k in range(of_layer.n_clusters)
    }


def _in_words(name: str, value: float) -> str:
    """Return a figure as one says it.

    >>> _in_words("accuracy", 0.5), _in_words("silhouette", 0.25)
    ('accuracy 50.0%', 'silhouette 0.25')
    """
    return f"{name} {value:.1%}" if name in ("accuracy", "chance") else f"{name} {value:g}"
