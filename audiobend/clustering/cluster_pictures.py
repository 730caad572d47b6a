"""Pictures of where the clusters of a layer act."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from audiobend.bending import LayerClusters
from audiobend.errors import ClusteringError
from audiobend.io.files import MARK, reason, write_atomically

BACKGROUND, INK = "#14161a", "#d8dce2"
COLUMNS = 5
NYQUIST_KHZ = 22.05


def where_it_acts(mean_abs: Tensor, clusters: LayerClusters, size: tuple[int, int]) -> Tensor:
    """Return the mean absolute activation of each cluster, enlarged to the output, ``(cluster, *size)``.

    Parameters
    ----------
    mean_abs : Tensor of shape ``(feature, height, width)``
    clusters : LayerClusters
    size : (int, int)
        Height and width of what the network puts out.
    """
    n_clusters = clusters.n_clusters
    maps = torch.stack([mean_abs[clusters.labels == k].mean(0) for k in range(n_clusters)])
    large = F.interpolate(maps[:, None].float(), size, mode="bilinear", align_corners=False)
    return large[:, 0].nan_to_num()    # an empty cluster acts nowhere


def picture_path(folder: Path, layer: int | str) -> Path:
    """Return where the picture of a layer goes."""
    return folder / f"layer_{layer}.png"


def draw_layer(path: Path, title: str, maps: Tensor, clusters: LayerClusters, axes: tuple[str, str]) -> None:
    """Draw ``(cluster, height, width)`` side by side on one scale, for sound with frequency upwards."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    n_columns = min(COLUMNS, len(maps))
    n_rows = -(-len(maps) // n_columns)
    of_sound = axes == ("time", "frequency")
    pictures = maps.transpose(1, 2).numpy() if of_sound else maps.numpy()
    counts = np.bincount(clusters.labels.numpy(), minlength=len(maps))
    with plt.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        size = (3.0 * n_columns + 0.8, 3.2 * n_rows + 0.6)
        figure, grid = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False, layout="constrained")
        figure.set_facecolor(BACKGROUND)
        figure.suptitle(title, fontsize=10)
        for place in grid.flat[len(maps) :]:
            place.axis("off")
        for k, (place, picture) in enumerate(zip(grid.flat, pictures, strict=False)):
            extent = (0, picture.shape[1], 0, NYQUIST_KHZ) if of_sound else None
            image = place.imshow(
                picture, origin="lower" if of_sound else "upper", aspect="auto" if of_sound else "equal",
                extent=extent, vmin=0, vmax=float(maps.max()), cmap="magma",
            )    # fmt: skip
            place.set_title(f"{k}: {clusters.label(k)}\n{counts[k]} features", fontsize=8)
            place.tick_params(labelsize=7)
        if of_sound:
            grid[0][0].set_ylabel("kHz", fontsize=8)
            grid[-1][0].set_xlabel("columns", fontsize=8)
        figure.colorbar(image, ax=grid, shrink=0.7, label="mean absolute activation")
        with write_atomically(path, error=ClusteringError) as temporary:
            figure.savefig(temporary, format="png", dpi=110, metadata={"Description": MARK, "Software": None})
        plt.close(figure)


def make_picture_folder(folder: Path) -> None:
    """Make the folder for pictures, or say why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClusteringError(f"{folder}: this folder cannot be made: {reason(error)}") from None
