"""Muon with norm control: steps along orthogonalised momentum, weights held at their first size.

Muon (Jordan et al. 2024) replaces each matrix's momentum by the nearest matrix with equal singular values. Batch norm
makes the network blind to the size of a kernel, so without norm control the weights grow and the true step shrinks.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from audiobend.train.recipe import Recipe

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Quintic iteration that pulls all singular values towards 1 in five steps."""
ROWS_AT_ONCE = 128
"""Bigger matrices are done in groups of rows: a quarter of the work on 512 latents, and no worse a step."""


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return a matrix of the same shape whose singular values are all near 1.

    Works on the small Gram matrix (rows x rows) in float32: far fewer multiplications for wide matrices, and stable
    where the gradient has low rank.

    Examples
    --------
    >>> values = torch.linalg.svdvals(orthogonalise(torch.randn(8, 32, generator=torch.Generator().manual_seed(0))))
    >>> bool((values > 0.6).all() and (values < 1.3).all())
    True
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonalise(matrix.T, steps).T
    if matrix.shape[0] > ROWS_AT_ONCE:
        return torch.cat([orthogonalise(rows, steps) for rows in matrix.split(ROWS_AT_ONCE)])
    x = matrix.float()
    x = x / (x.norm() + 1e-12)
    a, b, c = COEFFICIENTS
    gram = x @ x.T
    identity = torch.eye(len(gram), device=x.device)
    total = identity
    for _ in range(steps):
        factor = a * identity + b * gram + c * (gram @ gram)
        total = factor @ total
        gram = factor @ factor @ gram
    result: Tensor = total @ x
    return result


class NormedMuon(torch.optim.Optimizer):
    """Muon for kernels and dense layers; after each step every weight has its initial Frobenius norm.

    Parameters
    ----------
    lr : float > 0
        Root mean square of one update is ``0.2 * lr``.
    momentum : float in [0, 1)
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 3e-3, momentum: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:    # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group["lr"], group["momentum"])

    def _update(self, parameter: Tensor, lr: float, momentum: float) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
            state["norm"] = parameter.norm().clone()
        gradient = parameter.grad
        assert gradient is not None
        state["momentum"].lerp_(gradient, 1 - momentum)
        look_ahead = gradient.lerp(state["momentum"], momentum)
        direction = orthogonalise(look_ahead.flatten(1)).view_as(parameter)
        rms = direction.norm() / direction.numel() ** 0.5
        parameter.sub_(direction * (0.2 * lr / (rms + 1e-12)))    # no float(): a GPU would have to be waited for
        parameter.mul_(state["norm"] / (parameter.norm() + 1e-12))


def optimisers_for(network: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Return the optimisers of a recipe; each group of parameters knows its ``highest_lr``.

    Muon gets every kernel but the first and the last (one feature on one side: nothing to orthogonalise), the head of
    the mean code and the layer that expands it.
    """
    named = dict(network.named_parameters())
    big = [named[name] for name in _big_ones(named)] if recipe.optimiser == "muon" else []
    chosen = {id(parameter) for parameter in big}
    rest = [parameter for parameter in named.values() if id(parameter) not in chosen]
    optimisers: list[torch.optim.Optimizer] = [torch.optim.Adam(rest, lr=recipe.lr_adam, betas=recipe.adam_betas)]
    if big:
        optimisers.insert(0, NormedMuon(big, lr=recipe.lr_muon))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["highest_lr"] = group["lr"]
    return optimisers


def _big_ones(named: Iterable[str]) -> list[str]:
    kernels = [name for name in named if name.endswith(".0.weight")]
    encoder = [name for name in kernels if name.startswith("encoder.")]
    decoder = [name for name in kernels if name.startswith("decoder.")]
    return [*encoder[1:], *decoder[:-1], "mean.weight", "expand.weight"]
