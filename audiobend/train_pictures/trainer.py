"""One step of training after the other: critic and generator, their penalties, the average that is kept."""

import copy
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from audiobend.errors import TrainingError
from audiobend.networks.stylegan2 import StyleGAN2
from audiobend.train_pictures.augment import DRAWS, adjusted, augmented
from audiobend.train_pictures.critic import Critic
from audiobend.train_pictures.data import Pictures
from audiobend.train_pictures.losses import critic_loss, generator_loss, path_lengths, r1_penalty
from audiobend.train_pictures.recipe import PictureRecipe

DECAYS = (0.0, 0.99)
"""Of Adam's averages."""
ADJUST_EVERY = 4
PATH_MEMORY = 0.99
RISE = 0.05
"""At first the moving average forgets half within this share of the pictures so far."""


@dataclass
class Progress:
    """Where training stands; the losses are of the last step that had them.

    Attributes
    ----------
    step, images : int
        Steps so far, and real pictures shown in them.
    seconds : float
        Spent on steps.
    probability : float in 0..0.8
        Of each change to pictures.
    sureness : float in -1..1
        Mean sign of the critic's verdicts on real pictures, lately.
    path_mean : float
        Mean path length, lately.
    """

    step: int = 0
    images: int = 0
    seconds: float = 0.0
    probability: float = 0.0
    sureness: float = 0.0
    path_mean: float = 0.0
    critic_loss: float = 0.0
    generator_loss: float = 0.0
    r1: float = 0.0
    path_length: float = 0.0


class Trainer:
    """Train a generator and its critic on pictures.

    All that is random comes from one generator of numbers, whose state the checkpoint holds: a training that was
    stopped and went on ends in the same weights, bit for bit, on the processor.
    """

    def __init__(self, recipe: PictureRecipe, pictures: Pictures, device: str = "cpu") -> None:
        self.recipe, self.pictures, self.device = recipe, pictures, torch.device(device)
        self.random = torch.Generator().manual_seed(recipe.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)    # first weights
            generator, critic = StyleGAN2(recipe.architecture()), Critic(recipe.critic_features)
        self.generator, self.critic = generator.to(self.device).train(), critic.to(self.device).train()
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.generator_steps = self._adam(self.generator, recipe.path_every if recipe.path_length else None)
        self.critic_steps = self._adam(self.critic, recipe.r1_every if recipe.r1 else None)
        self.progress = Progress()

    def _adam(self, network: nn.Module, every: int | None) -> torch.optim.Adam:
        """Adam, slowed down by as much as the steps of a penalty come on top (Karras et al., 2020, appendix B)."""
        share = 1.0 if every is None else every / (every + 1)
        decays = (DECAYS[0] ** share, DECAYS[1] ** share)
        return torch.optim.Adam(network.parameters(), lr=self.recipe.learning_rate * share, betas=decays, eps=1e-8)

    def step(self) -> None:
        """Train both networks on one batch, and take the penalties whose turn it is."""
        recipe, progress = self.recipe, self.progress
        real = self._real()
        with self._precision():
            painted = self._paint(recipe.batch_size)[0]
        self._train_generator(painted)
        self._train_critic(real, painted.detach())
        if recipe.r1 and progress.step % recipe.r1_every == 0:
            self._penalise_critic(real)
        if recipe.path_length and progress.step % recipe.path_every == 0:
            self._penalise_generator()
        progress.step += 1
        progress.images += recipe.batch_size
        self._follow()
        if progress.step % ADJUST_EVERY == 0:
            shown = ADJUST_EVERY * recipe.batch_size
            progress.probability = adjusted(
                progress.probability, progress.sureness, recipe.augmentation_target, shown
            )
        if not math.isfinite(progress.critic_loss + progress.generator_loss):
            rule = "the losses are no numbers; begin anew with a lower learning rate"
            raise TrainingError(f"training failed at step {progress.step}: {rule}")

    def _train_generator(self, painted: Tensor) -> None:
        self.critic.requires_grad_(False)
        with self._precision():
            verdicts = self.critic(self._changed(painted))
        loss = generator_loss(verdicts)
        self._descend(self.generator_steps, loss)
        self.critic.requires_grad_(True)
        self.progress.generator_loss = loss.item()

    def _train_critic(self, real: Tensor, painted: Tensor) -> None:
        with self._precision():
            verdicts, of_painted = self.critic(self._changed(real)), self.critic(self._changed(painted))
        loss = critic_loss(verdicts, of_painted)
        self._descend(self.critic_steps, loss)
        self.progress.critic_loss = loss.item()
        self.progress.sureness += 0.02 * (verdicts.sign().mean().item() - self.progress.sureness)

    def _precision(self) -> torch.autocast:
        """Convolutions in bfloat16, where the recipe says so; penalties, codes and verdicts never."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16")

    def _penalise_critic(self, real: Tensor) -> None:
        penalty = r1_penalty(self.critic, self._changed(real))
        self._descend(self.critic_steps, penalty * (self.recipe.r1 * self.recipe.r1_every))
        self.progress.r1 = penalty.item()

    def _penalise_generator(self) -> None:
        recipe, progress = self.recipe, self.progress
        pictures, styles = self._paint(max(1, recipe.batch_size // 2))
        lengths = path_lengths(pictures, styles, self._normal(pictures.shape))
        progress.path_mean += (1 - PATH_MEMORY) * (lengths.mean().item() - progress.path_mean)
        penalty = (lengths - progress.path_mean).square().mean()
        self._descend(self.generator_steps, penalty * (recipe.path_length * recipe.path_every))
        progress.path_length = penalty.item()

    def _descend(self, optimiser: torch.optim.Adam, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    def _real(self) -> Tensor:
        index = torch.randint(len(self.pictures), (self.recipe.batch_size,), generator=self.random)
        return self.pictures.batch(index).to(self.device, memory_format=torch.channels_last)

    def _changed(self, pictures: Tensor) -> Tensor:
        draws = torch.rand(len(pictures), DRAWS, generator=self.random)
        return augmented(pictures, self.progress.probability, draws)

    def _paint(self, n: int) -> tuple[Tensor, Tensor]:
        """Return pictures and the styles ``(picture, level, style)`` they were painted from."""
        network = self.generator
        with torch.autocast(self.device.type, enabled=False):
            styles, others = (network.levels(network.mapping(z)) for z in self._normal((2, n, self.recipe.n_latent)))
        chance, place = torch.rand(2, n, 1, generator=self.random)
        crossed = (chance < self.recipe.style_mixing) & (torch.arange(styles.shape[1]) >= place * styles.shape[1])
        styles = torch.where(crossed[:, :, None].to(self.device), others, styles)
        architecture = network.architecture
        sizes = [architecture.map_size(layer) for layer in range(architecture.n_layers)]
        return network.synthesis(styles, [self._normal((n, 1, *size)) for size in sizes]), styles

    def _normal(self, shape: tuple[int, ...] | torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.random).to(self.device)

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the average follow the generator."""
        half_life = min(self.recipe.average_images, self.progress.images * RISE)
        keep = 0.5 ** (self.recipe.batch_size / half_life)
        for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)

    def checkpoint(self) -> dict[str, Any]:
        """Return everything that going on takes."""
        return {
            "recipe": self.recipe.as_dict(),
            "pictures": self.pictures.digest,
            "progress": asdict(self.progress),
            "random": self.random.get_state(),
            **{name: part.state_dict() for name, part in self._parts().items()},
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises
        ------
        TrainingError
            If it is of another recipe or of other pictures.
        """
        there, here = dict(content["recipe"]), self.recipe.as_dict()
        for name, value in here.items():
            if name not in ("images", "minutes") and there.get(name) != value:
                rule = f"the checkpoint was made with {name} {there.get(name)!r}, now it is {value!r}"
                raise TrainingError(f"{rule}; leave out --resume and begin anew")
        if content.get("pictures") != self.pictures.digest:
            raise TrainingError("the checkpoint was made with other pictures; leave out --resume and begin anew")
        for name, part in self._parts().items():
            part.load_state_dict(content[name])
        self.random.set_state(content["random"])
        names = {field.name for field in fields(Progress)}
        self.progress = Progress(**{name: value for name, value in content["progress"].items() if name in names})

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "critic": self.critic,
            "average": self.average,
            "generator_steps": self.generator_steps,
            "critic_steps": self.critic_steps,
        }

    @property
    def share_done(self) -> float:
        """How far training is, 0..1."""
        recipe, progress = self.recipe, self.progress
        if recipe.images is not None:
            return min(1.0, progress.images / recipe.images)
        assert recipe.minutes is not None
        return min(1.0, progress.seconds / (recipe.minutes * 60))
