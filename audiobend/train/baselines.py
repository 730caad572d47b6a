"""What one gets without a neural network: a linear autoencoder of the same code size, fitted in a minute or two.

A PCA is the best that a linear encoder and decoder can do in mean square over windows, so a network of the same code
size should come near it or pass it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from audiobend.errors import AudiobendError, ModelError, TrainingError
from audiobend.io.files import check_readable, write_atomically
from audiobend.networks.spectrogram_vae import N_BINS, WINDOW

SIZE = WINDOW * N_BINS
OVERSAMPLING = 64
SWEEPS = 3
"""Times that the basis is run through the data and back; more changes the error of reconstruction by under 0.1 %."""
ROWS = 256
"""Windows multiplied at once."""
N_WINDOWS = 8192
FORMAT = "1"


@dataclass(frozen=True)
class PCA:
    """A linear autoencoder of windows.

    Attributes
    ----------
    mean : Tensor ``(65664,)``, dB
    components : Tensor ``(component, 65664)``
        Orthonormal rows, strongest first.
    tracks : tuple of str
        Names of the sounds that it was fitted on.
    """

    mean: Tensor
    components: Tensor
    tracks: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """Such as "PCA-512"."""
        return f"PCA-{len(self.components)}"

    def reconstructed(self, windows_db: Tensor) -> Tensor:
        """Return windows ``(window, 128, 513)`` of dB as the components alone can say them."""
        code = (windows_db.flatten(1) - self.mean) @ self.components.T
        windows: Tensor = (code @ self.components + self.mean).unflatten(1, (WINDOW, N_BINS))
        return windows


def fit_pca(
    batches: Iterable[Tensor],
    n_components: int = 512,
    n_windows: int = N_WINDOWS,
    seed: int = 0,
    tracks: tuple[str, ...] = (),
    on_progress: Callable[[float], None] = lambda _: None,
) -> PCA:
    """Fit a PCA to random windows.

    By subspace iteration from a random start (Halko, Martinsson and Tropp 2011, algorithm 4.4). The windows are held
    in float16, 1 GB for 8192 of them: their rounding is under 0.04 dB.

    Parameters
    ----------
    batches : iterable of Tensor ``(batch, 1, 128, 513)``, dB
        Such as a `WindowSampler`'s, so with the random levels of training.
    n_components : int > 0
        At most one less than windows.
    on_progress : callable
        Gets the share done, 0..1.
    """
    rows = _rows(batches, n_windows, lambda share: on_progress(0.2 * share))
    n = sum(len(block) for block in rows)
    if n < 2:
        raise TrainingError("a PCA needs at least two windows; raise --pca-windows")
    mean = torch.stack([block.float().sum(0) for block in rows]).sum(0) / n
    n_components = min(n_components, n - 1)
    generator = torch.Generator().manual_seed(seed)
    basis = torch.randn(SIZE, min(n_components + OVERSAMPLING, n), generator=generator)
    for sweep in range(SWEEPS):
        image = torch.cat([(block.float() - mean) @ basis for block in rows])
        image = torch.linalg.qr(image).Q
        on_progress(0.2 + 0.8 * (sweep + 0.5) / SWEEPS)
        parts = image.split([len(block) for block in rows])
        basis = torch.zeros_like(basis)
        for block, part in zip(rows, parts, strict=True):
            basis.addmm_((block.float() - mean).T, part)
        if sweep < SWEEPS - 1:
            basis = torch.linalg.qr(basis).Q
        on_progress(0.2 + 0.8 * (sweep + 1) / SWEEPS)
    components = torch.linalg.svd(basis, full_matrices=False).U[:, :n_components]
    return PCA(mean, components.T.contiguous(), tracks)


def save_pca(pca: PCA, path: Path) -> None:
    """Write a PCA as safetensors, in float16 (67 MB for 512 components); only another PCA is replaced."""
    check_pca_name(path)
    # Entries are near 1/256: scaled to about one, they keep all the digits that float16 has.
    tensors = {"mean": pca.mean, "components": (pca.components * SIZE**0.5).half()}
    with write_atomically(path, error=TrainingError) as temporary:
        save_file(tensors, temporary, metadata={"audiobend-pca": FORMAT, "tracks": "\n".join(pca.tracks)})


def check_pca_name(path: Path) -> None:
    """Refuse a name of another kind of file, and a file that is no PCA."""
    if path.suffix != ".safetensors":
        raise TrainingError(f"{path}: a PCA's name must end in safetensors, not '{path.suffix}'")
    if not path.absolute().parent.is_dir():
        raise TrainingError(f"{path}: the folder {path.parent} does not exist")
    if path.exists():
        try:
            load_pca(path)
        except AudiobendError:
            raise TrainingError(f"{path}: exists and is no PCA; choose another name") from None


def load_pca(path: Path) -> PCA:
    """Read what `save_pca` wrote; `ModelError` where it is something else."""
    check_readable(path, ModelError)
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            if facts.get("audiobend-pca") != FORMAT:
                raise SafetensorError("no mark")
            mean, components = file.get_tensor("mean").float(), file.get_tensor("components").float()
    except SafetensorError as error:
        raise ModelError(f"{path}: this is no PCA that audiobend wrote; fit one with --pca FOLDER") from error
    if mean.shape != (SIZE,) or components.dim() != 2 or components.shape[1] != SIZE:
        raise ModelError(f"{path}: the PCA is of windows of another size; fit one with --pca FOLDER")
    names = facts.get("tracks", "")
    return PCA(mean, components / SIZE**0.5, tuple(names.split("\n")) if names else ())


def _rows(batches: Iterable[Tensor], n_windows: int, on_progress: Callable[[float], None]) -> list[Tensor]:
    """Return the first windows as float16 blocks ``(at most 256, 65664)``, large enough to multiply quickly."""
    pieces, n = [], 0
    for batch in batches:
        pieces.append(batch.flatten(1).half()[: n_windows - n])
        n += len(pieces[-1])
        on_progress(n / n_windows)
        if n >= n_windows:
            break
    if not pieces:
        return []
    joined: list[Tensor] = []
    per_block = max(1, ROWS // len(pieces[0]))
    for first in range(0, len(pieces), per_block):
        joined.append(torch.cat(pieces[first : first + per_block]))
        pieces[first : first + per_block] = [joined[-1][:0]] * len(pieces[first : first + per_block])    # free them
    return joined
