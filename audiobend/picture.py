"""Pictures from seeds or styles, through a bent generator: from memory to memory.

Seeds become codes as in NVIDIA's programs, codes become styles by the (bent) mapping network, styles are drawn towards
the mean, then the patch's ``latent`` entries act on W+, and the (bent) synthesis paints them.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from audiobend.bending import Patch, Plan
from audiobend.bending.latent import ALL_AXES
from audiobend.bending.modulation import Level
from audiobend.errors import PictureError
from audiobend.io.patchfile import load_patch
from audiobend.io.picturemodel import load_picture_model
from audiobend.networks.bendable import CallSites, bent
from audiobend.networks.stylegan2 import StyleGAN2
from audiobend.networks.stylegan2_model import PictureModel, truncate
from audiobend.picture_bends import MapBends
from audiobend.picture_settings import PRECISIONS, PictureSettings, device_named

SYNTHESIS = ("input", "conv1", "to_rgb1", "convs", "to_rgbs", "noises")
_GROUP = 16
"""Pictures painted at once off the processor; on it one at a time is as fast, and does not depend on its neighbours."""


class Painter:
    """A generator with one patch, ready to paint; the model itself stays as it is.

    Parameters
    ----------
    model : PictureModel
    patch : Patch or Plan, optional
    settings : PictureSettings, optional

    Raises
    ------
    AudiobendError
        If patch, settings and model do not fit.

    Examples
    --------
    >>> painter = Painter(load_picture_model("models/faces"))    # doctest: +SKIP
    >>> painter.paint(painter.styles([0, 1]), [0, 1]).shape    # doctest: +SKIP
    torch.Size([2, 3, 1024, 1024])
    """

    def __init__(
        self, model: PictureModel, patch: Patch | Plan | None = None, settings: PictureSettings | None = None
    ) -> None:
        self.model, self.settings = model, settings or PictureSettings()
        self.plan = patch if isinstance(patch, Plan) else model.resolve(patch or Patch())
        self.device = device_named(self.settings.device)
        self.network = self._network()
        convolutions = self.network.kernels()    # nobody else looks at what they put out
        self._counts = {one.name: one.n_features for one in self.network.layers() if one.name in convolutions}
        self._bends = MapBends(self.plan, self._counts)
        _check(model, self.settings)

    def rebent(self, patch: Patch, *, truncation: float | None = None, level: Level | None = None) -> "Painter":
        """Return a painter of another patch for the same model, in no time where its kernels are the same.

        Parameters
        ----------
        patch : Patch
        truncation : float in -2..2, optional
            Default: as it is.
        level : function from times in seconds and a rate in Hz to loudness 0..1, optional
            What bends that follow the input hear.
        """
        other = copy.copy(self)
        if truncation is not None:
            other.settings = replace(self.settings, truncation=truncation)
            _check(self.model, other.settings)
        plan = self.model.resolve(patch)
        other.plan = plan if level is None else plan.hearing(level)
        if patch.weights != self.plan.patch.weights:
            other.network = other._network()
        other._bends = MapBends(other.plan, self._counts)
        return other

    def _network(self) -> StyleGAN2:
        network = self.model.bent_network(self.plan.patch)
        precision = PRECISIONS[self.settings.precision]
        if self.device.type == "cpu" and precision == torch.float32:
            return network
        network = copy.deepcopy(network).to(self.device)
        for name in SYNTHESIS:    # the mapping network is small, and its errors would add up
            network.get_submodule(name).to(precision)
        return network

    @torch.no_grad()
    def styles(self, seeds: Sequence[int], times: Tensor | None = None) -> Tensor:
        """Return styles W+ ``(picture, level, style)`` of seeds, truncated, with what the patch does to them.

        ``times``: seconds ``(picture,)``, for what moves.
        """
        return self.of_codes(self.model.codes(seeds), times)

    @torch.no_grad()
    def of_codes(self, z: Tensor, times: Tensor | None = None) -> Tensor:
        """Return styles W+ of codes ``(picture, latent)``, as `styles`."""
        return self.bent_styles(self.mapped(z, times), times)

    @torch.no_grad()
    def bent_styles(self, w: Tensor, times: Tensor | None = None) -> Tensor:
        """Return styles W+ with what the patch's ``latent`` entries do to them; ``w`` is not changed."""
        if not self.plan.patch.latent:
            return w.to(self.device)
        has_axes = any(one.params.get("axis", ALL_AXES) != ALL_AXES for one in self.plan.patch.latent)
        basis = self.model.latent_axes.to(self.device) if has_axes else None
        return self.plan.apply_latent(w.to(self.device), basis, times=times, another=self._another)

    def _another(self, seed: int) -> Tensor:
        return self.mapped(self.model.codes([seed]))

    @torch.no_grad()
    def mapped(self, z: Tensor, times: Tensor | None = None) -> Tensor:
        """Return styles W+ of codes ``(picture, latent)``, truncated, before the patch's ``latent`` entries."""
        one = self.settings
        parts = []
        for part in self._groups(len(z)):
            codes = z[part].to(self.device)
            labels = torch.full((len(codes),), one.label, device=self.device)
            with self._bent(None if times is None else times[part]):
                parts.append(self.network.mapping(codes, labels))
        w = self.network.levels(torch.cat(parts) if parts else z.new_zeros(0, self.network.architecture.n_style))
        if one.truncation == 1 or self.model.mean is None:
            return w
        return truncate(w, self.model.mean.to(self.device), one.truncation, one.cutoff)

    @torch.no_grad()
    def paint(
        self,
        w: Tensor,
        seeds: Sequence[int],
        times: Tensor | None = None,
        call: int = 0,
        noise: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Return pictures ``(picture, 3, height, width)`` of about -1..1, float32, on the processor.

        Parameters
        ----------
        w : Tensor of shape ``(picture, level, style)``
        seeds : whole numbers, one for each picture
            What random noise is drawn by.
        times : Tensor of shape ``(picture,)`` or None
            Seconds, for what moves.
        call : int
            The number of this call, for bends whose noise is fresh every time.
        noise : maps ``(1, 1, height, width)``, one for each layer, optional
            In the place of the noise that the model was saved with.
        """
        own = noise is not None and self.settings.noise == "const"
        maps = [one.to(self.device) for one in noise] if own and noise else self.settings.noise
        pictures = []
        for part in self._groups(len(w)):
            with self._bent(None if times is None else times[part], call):
                one = self.network.synthesis(w[part].to(self.device), maps, list(seeds)[part])
            pictures.append(one.cpu())
        return torch.cat(pictures) if pictures else torch.zeros(0, 3, *self.network.architecture.size)

    def _groups(self, n: int) -> list[slice]:
        size = 1 if self.device.type == "cpu" else _GROUP
        return [slice(first, first + size) for first in range(0, n, size)]

    @contextmanager
    def _bent(self, times: Tensor | None, call: int = 0) -> Iterator[CallSites | None]:
        if not self.plan.steps:
            yield None
            return
        with bent(self.network, self._bends, times, call) as sites:
            yield sites


def generate(
    model: PictureModel | str | Path,
    seeds: Sequence[int] = (0,),
    patch: Patch | str | Path | None = None,
    settings: PictureSettings | None = None,
    *,
    styles: Tensor | None = None,
) -> Tensor:
    """Paint pictures.

    Parameters
    ----------
    model : PictureModel, name, bundle's folder or checkpoint
    seeds : whole numbers
        One picture each; with ``styles``, what random noise is drawn by.
    patch : Patch or file, optional
        Default: no bends.
    settings : PictureSettings, optional
    styles : Tensor of shape ``(picture, level, style)``, optional
        In the place of seeds; not truncated.

    Returns
    -------
    Tensor of shape ``(picture, 3, height, width)``
        Of about -1..1, float32; the same numbers every time.

    Examples
    --------
    >>> import audiobend as ab
    >>> pictures = ab.generate("ffhq.pkl", [0, 1], "eyes.yaml")    # doctest: +SKIP
    """
    model = model if isinstance(model, PictureModel) else load_picture_model(model)
    patch = load_patch(patch) if isinstance(patch, str | Path) else patch
    painter = Painter(model, patch, settings)
    w = painter.styles(seeds) if styles is None else painter.bent_styles(styles)
    return painter.paint(w, seeds if len(seeds) == len(w) else range(len(w)))


def _check(model: PictureModel, settings: PictureSettings) -> None:
    n_classes = model.network.architecture.n_classes
    if not 0 <= settings.label < max(n_classes, 1):
        known = f"0..{n_classes - 1}" if n_classes else "left out: this model has no classes"
        raise PictureError(f"the class must be {known}; got {settings.label}")
    if settings.truncation != 1 and model.mean is None:
        raise PictureError(
            f"{model.source or model.name}: has no latent_avg, which truncation goes towards; give --truncation 1, or "
            "let 'audiobend image convert' work it out"
        )
