"""The loop for models with a generator and critics.

One step draws one big batch, makes ``critic_updates`` updates of the critics on its parts and one
of the generator, the latter with the conditions of the last part (the deck's third way).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from simulacra.card import AdversarialCard
from simulacra.errors import SimulatorError
from simulacra.models import GenerativeModel
from simulacra.training.tensors import (
    below_prefix,
    optimiser_tensors,
    restore_optimiser,
    with_prefix,
)


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
        network: has ``generator``, ``critics`` and ``noise_shape``.
        features: what the model learns (n, ...), on the CPU.
        conditions: encoded conditions (n, conditions).
        card: how to train.
        seed: of batches, noise and penalty points.
        fabric: device and precision; launched.
    """

    def __init__(
        self,
        network: nn.Module,
        features: Tensor,
        conditions: Tensor,
        card: AdversarialCard,
        seed: int,
        fabric: Fabric,
    ) -> None:
        self.card = card
        self.fabric = fabric
        self.step = 0
        self.noise_shape = cast("GenerativeModel", network).noise_shape
        generator, critics = network.get_submodule("generator"), network.get_submodule("critics")
        self.averaged = AveragedModel(
            copy.deepcopy(generator),
            multi_avg_fn=get_ema_multi_avg_fn(card.averaging),  # type: ignore[no-untyped-call]
        )
        self.generator, self.generator_optimiser = fabric.setup(
            generator, _rmsprop(generator, card.learning_rate)
        )
        rate = card.critic_learning_rate or card.learning_rate
        wrapped, self.critics_optimiser = fabric.setup(critics, _rmsprop(critics, rate))
        wrapped.mark_forward_method("judge")
        self._critic_module: nn.Module = wrapped
        self._rates = (card.learning_rate, rate)
        self._features = features.to(fabric.device)
        self._conditions = conditions.to(fabric.device)
        self._rng = torch.Generator().manual_seed(seed)

    @property
    def critics(self) -> Critics:
        """The critics, as the loop calls them."""
        return cast("Critics", self._critic_module)

    def advance(self) -> dict[str, Tensor]:
        """Make one step and return the last value of every loss term."""
        self._set_learning_rates()
        size = self.card.batch_size
        losses: dict[str, Tensor] = {}
        for part in self._big_batch(size * self.card.critic_updates).split(size):
            terms = self.critics(*part)
            self._update(self.critics_optimiser, terms)
            losses |= terms
            conditions = part.conditions
        self._critic_module.requires_grad_(False)
        fake = self.generator(conditions, self._noise(size))
        terms = self.critics.judge(fake, conditions)
        self._update(self.generator_optimiser, terms)
        self._critic_module.requires_grad_(True)
        self.averaged.update_parameters(self.generator.module)
        self.step += 1
        return {name: loss.detach() for name, loss in (losses | terms).items()}

    def _update(self, optimiser: torch.optim.Optimizer, terms: Mapping[str, Tensor]) -> None:
        loss = torch.stack(tuple(terms.values())).sum()
        optimiser.zero_grad()
        self.fabric.backward(loss)
        optimiser.step()

    def _big_batch(self, n: int) -> _Batch:
        index = torch.randint(len(self._features), (n,), generator=self._rng)
        conditions = self._conditions[index]
        with torch.no_grad():  # the generator stands still while the critics learn
            fake = self.generator(conditions, self._noise(n))
        mix = torch.rand((n, 1), generator=self._rng).to(self.fabric.device)
        return _Batch(self._features[index], fake, conditions, mix)

    def _noise(self, n: int) -> Tensor:
        return torch.randn(self.noise_shape(n), generator=self._rng).to(self.fabric.device)

    def _set_learning_rates(self) -> None:
        # a function of the step alone, so that a resumed run needs no scheduler's state
        final, progress = self.card.final_learning_rate, self.step / self.card.steps
        factor = final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2
        optimisers = (self.generator_optimiser, self.critics_optimiser)
        for optimiser, rate in zip(optimisers, self._rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor

    def state(self) -> dict[str, Tensor]:
        """Return everything that the run's future depends on, as named tensors."""
        return {
            "step": torch.tensor(self.step),
            "rng": self._rng.get_state(),
            **with_prefix("generator", self.generator.module.state_dict()),
            **with_prefix("critics", self._critic_module.state_dict()),
            **with_prefix("averaged", self.averaged.state_dict()),
            **with_prefix("generator_optimiser", optimiser_tensors(self.generator_optimiser)),
            **with_prefix("critics_optimiser", optimiser_tensors(self.critics_optimiser)),
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from :meth:`state`, bit by bit as if never interrupted (on a CPU)."""
        try:
            self.step = int(tensors["step"])
            self._rng.set_state(tensors["rng"])
            self.generator.module.load_state_dict(below_prefix("generator", tensors))
            self._critic_module.load_state_dict(below_prefix("critics", tensors))
            self.averaged.load_state_dict(below_prefix("averaged", tensors))
        except (KeyError, RuntimeError) as error:
            msg = f"the checkpoint does not fit the card: {error}"
            raise SimulatorError(msg) from None
        restore_optimiser(self.generator_optimiser, below_prefix("generator_optimiser", tensors))
        restore_optimiser(self.critics_optimiser, below_prefix("critics_optimiser", tensors))


def _rmsprop(module: nn.Module, rate: float) -> torch.optim.RMSprop:
    return torch.optim.RMSprop(module.parameters(), lr=rate, alpha=0.9, foreach=True)
