"""What changes with the step: the learning rate, and how far back the average of weights reaches.

Both are functions of the step alone, so that a resumed run needs no scheduler's state.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all of an optimiser's parameters."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def learning_rate_factor(step: int, steps: int, final: float, warm_up: float = 0.0) -> float:
    """Return what the highest learning rate is multiplied by: a line up, then a cosine down.

    Args:
        step: updates that were made so far.
        steps: updates of the whole run.
        final: the factor that the cosine ends at.
        warm_up: part of the steps in which the factor rises linearly to 1.

    Example:
        >>> [round(learning_rate_factor(n, 10, 0.1, 0.2), 2) for n in (0, 1, 2, 6, 10)]
        [0.5, 1.0, 1.0, 0.55, 0.1]
    """
    rising = round(warm_up * steps)
    if step < rising:
        return (step + 1) / rising
    progress = (step - rising) / (steps - rising)
    return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2


def moving_average(module: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of a module whose weights follow it as an exponential moving average.

    In update n the decay is at most (1 + n) / (10 + n), so that the average soon forgets where
    training began.

    Args:
        module: what ``update_parameters`` is then called with after each step.
        decay: weight of the past in each update.
    """

    @torch.no_grad()
    def update(
        averaged: tuple[Tensor, ...] | list[Tensor],
        current: tuple[Tensor, ...] | list[Tensor],
        count: Tensor | int,
    ) -> None:
        n = int(count)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + n) / (10 + n)))

    return AveragedModel(module, multi_avg_fn=update)
