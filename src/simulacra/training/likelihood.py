"""The loop for models with one loss: flows, flow matching, autoencoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from simulacra.models import LikelihoodModel
from simulacra.models.surrogate import Surrogate
from simulacra.training.batch_norm import EVENTS, with_own_statistics
from simulacra.training.batches import Batches
from simulacra.training.card import LikelihoodCard, steps_of
from simulacra.training.compute import own_share, shared_generator
from simulacra.training.layers import (
    in_single,
    own_random_numbers,
    set_progress,
)
from simulacra.training.recovery import DivergedError
from simulacra.training.schedules import MovingAverage, learning_rate_factor, set_learning_rate
from simulacra.training.state import restored_step, state_of_run

if TYPE_CHECKING:
    from lightning_fabric import Fabric


LOOKS = 100
"""Steps after which a device other than the CPU is asked whether the training has diverged."""


class LikelihoodRun:
    """The state of a training run: it advances step by step, is saved and restored.

    Args:
        surrogate: holds the network, which has ``losses``, and the transform.
        batches: training events.
        card: how to train.
        seed: of batches and of all noise.
        fabric: device and precision; launched.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        batches: Batches,
        card: LikelihoodCard,
        seed: int,
        fabric: Fabric,
    ) -> None:
        self.card = card
        self.fabric = fabric
        self.step = 0
        self.rate_factor = 1.0
        self._seed = seed
        self._share = own_share(card.batch_size, fabric)
        self._averaged = MovingAverage(surrogate.network, card.averaging)
        if card.compile:  # its parts: the whole draws random numbers between them
            for part in surrogate.network.children():
                part.compile()
        optimiser = torch.optim.AdamW(
            surrogate.network.parameters(),
            lr=card.learning_rate,
            weight_decay=card.weight_decay,
            foreach=True,
        )
        self._network, self._optimiser = fabric.setup(surrogate.network, optimiser)
        self._network.mark_forward_method("losses")  # Fabric asks for it, and casts nothing by it
        self._averaged.to_device(fabric.device)
        self._batches = batches.to(fabric)
        self._rng = shared_generator(fabric, seed)
        self._broken = torch.zeros((), dtype=torch.bool, device=fabric.device)
        self._parts = {
            "network": surrogate.network,
            "averaged": self._averaged,
            "optimiser": self._optimiser,
        }

    def advance(self) -> dict[str, Tensor]:
        """Make one step and return the value of every loss term before it.

        Raises:
            DivergedError: the loss or its gradient is not finite.
        """
        card = self.card
        factor = learning_rate_factor(
            self.step, steps_of(card), card.final_learning_rate, card.warm_up
        )
        set_learning_rate(self._optimiser, card.learning_rate * factor * self.rate_factor)
        set_progress(self._network.module, self.step / steps_of(card))
        network = cast("LikelihoodModel", self._network)
        fabric = self.fabric
        with own_random_numbers(self._seed, self.step, fabric.device, fabric.global_rank):
            features, conditions = self._batch(self._share, self._rng)
            with self.fabric.autocast():
                terms = in_single(network.losses(features, conditions, self._rng))
            self._update(terms)
        self._averaged.update_parameters(self._network.module)
        self.step += 1
        return {name: loss.detach() for name, loss in terms.items()}

    def _batch(self, events: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        drawn = self._batches.draw(events, rng)
        return drawn.features(rng), drawn.conditions

    def _update(self, terms: Mapping[str, Tensor]) -> None:
        self._optimiser.zero_grad()
        self.fabric.backward(torch.stack(tuple(terms.values())).sum())
        norm = self.fabric.clip_gradients(
            self._network,
            self._optimiser,
            max_norm=self.card.gradient_clip,
            error_if_nonfinite=False,
        )
        self._broken |= ~torch.isfinite(cast("Tensor", norm))
        if self._looks() and bool(self._broken):
            values = ", ".join(f"{name} {value.item():g}" for name, value in terms.items())
            msg = f"training diverged at step {self.step} ({values})"
            raise DivergedError(msg)
        self._optimiser.step()

    def _looks(self) -> bool:
        """Return whether this step looks at its numbers, for which a device has to be waited."""
        return self.fabric.device.type == "cpu" or self.step % LOOKS == 0

    def averaged(self) -> dict[str, Tensor]:
        """Return the moving average of the network's weights.

        Its batch normalisations have statistics of their own, for training events.
        """
        average = with_own_statistics(self._averaged.module, self._seed, self._answer)
        return average.state_dict()

    def _answer(self, network: nn.Module, rng: torch.Generator) -> dict[str, Tensor]:
        drawn = self._batches.sample(EVENTS, rng)
        model = cast("LikelihoodModel", network)
        return model.losses(drawn.features(rng), drawn.conditions, rng)

    def state(self) -> dict[str, Tensor]:
        """Return everything that the run's future depends on, as named tensors."""
        return state_of_run(self.step, self._rng, self._parts, self._batches)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from :meth:`state`, bit by bit as if never interrupted (on a CPU).

        Raises:
            SimulatorError: the state is of another network.
        """
        self.step = restored_step(tensors, self._rng, self._seed, self._parts, self._batches)
        self._broken.zero_()
