"""The loop for models with a generator and critics.

One step draws one big batch, makes ``critic_updates`` updates of the critics on its parts and then
``generator_updates`` of the generator: the first with the conditions of the last part (the
third way of Ghosh & Rousseau 2019), further ones with those of other training events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from simulacra.models.surrogate import Surrogate
from simulacra.training.batch_norm import EVENTS, with_own_statistics
from simulacra.training.batches import Batches
from simulacra.training.card import AdamCard, AdversarialCard, steps_of
from simulacra.training.compute import own_share, shared_generator
from simulacra.training.layers import (
    clip,
    in_single,
    own_random_numbers,
    set_progress,
)
from simulacra.training.schedules import MovingAverage, learning_rate_factor, set_learning_rate
from simulacra.training.state import restored_step, state_of_run
from simulacra.transforms.drawn import normal, uniform

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Critics(Protocol):
    """What the loop asks of a model's critics."""

    def __call__(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return the weighted terms that the critics minimise."""

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms that the generator minimises."""


class _Batch(NamedTuple):
    """What the critics see, in the order of their arguments."""

    real: Tensor
    fake: Tensor
    conditions: Tensor
    mix: Tensor

    def split(self, size: int) -> Iterator[_Batch]:
        """Yield parts of ``size`` events."""
        parts = zip(*(torch.split(tensor, size) for tensor in self), strict=True)
        return (_Batch(*part) for part in parts)


class AdversarialRun:
    """The state of a training run: it advances step by step, is saved and restored.

    Args:
        surrogate: holds the network, which has ``generator`` and ``critics``, and the transform.
        batches: training events.
        card: how to train.
        seed: of batches, noise, penalty points and dropout.
        fabric: device and precision; launched.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        batches: Batches,
        card: AdversarialCard,
        seed: int,
        fabric: Fabric,
    ) -> None:
        self.card = card
        self.fabric = fabric
        self.step = 0
        self.rate_factor = 1.0
        self._seed = seed
        self.noise_shape = surrogate.model.noise_shape
        self._network = surrogate.network
        generator = self._network.get_submodule("generator")
        critics = self._network.get_submodule("critics")
        self._share = own_share(card.batch_size, fabric)
        self._averaged = MovingAverage(generator, card.averaging)
        if card.compile:  # critics are derived twice, which the compiler does not do
            generator.compile()
        self.generator, self.generator_optimiser = fabric.setup(
            generator, _optimiser(generator, card, card.learning_rate)
        )
        rate = card.critic_learning_rate or card.learning_rate
        wrapped, self.critics_optimiser = fabric.setup(critics, _optimiser(critics, card, rate))
        self._critic_module: nn.Module = wrapped
        self._averaged.to_device(fabric.device)
        self._rates = (card.learning_rate, rate)
        self._batches = batches.to(fabric)
        self._rng = shared_generator(fabric, seed)
        self._parts = {
            "generator": generator,
            "critics": critics,
            "averaged": self._averaged,
            "generator_optimiser": self.generator_optimiser,
            "critics_optimiser": self.critics_optimiser,
        }

    @property
    def critics(self) -> Critics:
        """The critics, as the loop calls them to update them."""
        return cast("Critics", self._critic_module)

    @property
    def judges(self) -> Critics:
        """The critics by themselves, whose gradients are nobody's when the generator learns."""
        return cast("Critics", self._network.get_submodule("critics"))

    def advance(self) -> dict[str, Tensor]:
        """Make one step and return the last value of every loss term."""
        self._set_learning_rates()
        set_progress(self._network, self.step / steps_of(self.card))
        fabric = self.fabric
        with own_random_numbers(self._seed, self.step, fabric.device, fabric.global_rank):
            terms = self._advance()
        self.step += 1
        return {name: loss.detach() for name, loss in terms.items()}

    def _advance(self) -> dict[str, Tensor]:
        size = self._share
        losses: dict[str, Tensor] = {}
        for part in self._big_batch(size * self.card.critic_updates).split(size):
            terms = self.critics(*part)
            self._update(self.critics_optimiser, terms)
            clip(self._network.get_submodule("critics"))
            losses |= terms
            conditions = part.conditions
        self._critic_module.requires_grad_(False)
        for update in range(self.card.generator_updates):
            if update:
                conditions = self._batches.conditions(size, self._rng)
            losses |= self._update_generator(conditions)
        self._critic_module.requires_grad_(True)
        return losses

    def _update_generator(self, conditions: Tensor) -> dict[str, Tensor]:
        fake = self.generator(conditions, self._noise(len(conditions), self._rng))
        with self.fabric.autocast():
            terms = in_single(self.judges.judge(fake, conditions))
        self._update(self.generator_optimiser, terms)
        self._averaged.update_parameters(self.generator.module)
        return terms

    def _update(self, optimiser: torch.optim.Optimizer, terms: Mapping[str, Tensor]) -> None:
        loss = torch.stack(tuple(terms.values())).sum()
        optimiser.zero_grad()
        self.fabric.backward(loss)
        optimiser.step()

    def _big_batch(self, n: int) -> _Batch:
        with self._rng.in_parts(self.card.critic_updates):
            drawn = self._batches.draw(n, self._rng)
            with torch.no_grad():  # the generator stands still while the critics learn
                fake = self.generator(drawn.conditions, self._noise(n, self._rng))
            mix = uniform((n, 1), self._rng)
            real = drawn.features(self._rng)
        return _Batch(real, fake, drawn.conditions, mix)

    def _noise(self, n: int, rng: torch.Generator) -> Tensor:
        return normal(self.noise_shape(n), rng, self.fabric.device)

    def _set_learning_rates(self) -> None:
        card = self.card
        factor = learning_rate_factor(self.step, steps_of(card), card.final_learning_rate)
        optimisers = (self.generator_optimiser, self.critics_optimiser)
        for optimiser, rate in zip(optimisers, self._rates, strict=True):
            set_learning_rate(optimiser, rate * factor * self.rate_factor)

    def averaged(self) -> dict[str, Tensor]:
        """Return the network's weights with the moving average in place of the generator's.

        Its batch normalisations have statistics of their own, for conditions of training events.
        """
        average = with_own_statistics(self._averaged.module, self._seed, self._generate)
        weights = average.state_dict()
        return self._network.state_dict() | {f"generator.{k}": v for k, v in weights.items()}

    def _generate(self, generator: nn.Module, rng: torch.Generator) -> Tensor:
        conditions = self._batches.conditions(EVENTS, rng)
        features: Tensor = generator(conditions, self._noise(EVENTS, rng))
        return features

    def state(self) -> dict[str, Tensor]:
        """Return everything that the run's future depends on, as named tensors."""
        return state_of_run(self.step, self._rng, self._parts, self._batches)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from :meth:`state`, bit by bit as if never interrupted (on a CPU).

        Raises:
            SimulatorError: the state is of another network.
        """
        self.step = restored_step(tensors, self._rng, self._seed, self._parts, self._batches)


def _optimiser(module: nn.Module, card: AdversarialCard, rate: float) -> torch.optim.Optimizer:
    chosen, weights = card.optimiser, module.parameters()
    if isinstance(chosen, AdamCard):
        return torch.optim.Adam(weights, lr=rate, betas=chosen.betas, fused=True)
    return torch.optim.RMSprop(weights, lr=rate, alpha=chosen.smoothing, foreach=True)
