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


class MovingAverage(AveragedModel):
    """A copy of a module whose weights follow it as an exponential moving average.

    In update n the decay is at most (1 + n) / (10 + n), so that the average soon forgets where
    training began. The number of updates stays on the CPU: no step waits for a device.

    Args:
        module: what :meth:`update_parameters` is then called with after each step.
        decay: weight of the past in each update.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        super().__init__(module)
        self._decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Bring the average up to the module after a step; buffers are the module's."""
        n = int(self.n_averaged)
        averaged: list[Tensor] = list(self.module.parameters())
        current: list[Tensor] = list(model.parameters())
        if n:
            decay = min(self._decay, (1 + n) / (10 + n))
            torch._foreach_lerp_(averaged, current, 1 - decay)
        else:
            torch._foreach_copy_(averaged, current)
        for own, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
            own.copy_(buffer)
        self.n_averaged += 1

    def to_device(self, device: torch.device) -> None:
        """Move the averaged weights to a device; their number of updates stays where it is."""
        self.module.to(device)
