"""Whether an event holds anything at all, learned from the conditions.

An event without energy is no point of a density of energies. Its probability is learned by itself,
and the lowest part of one normal number of the noise stands for it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.marginals import MOST_CERTAIN, score_of_something

ALWAYS = 1e6
"""Logit of the probability to hold something where no training event was empty."""


class Emptiness(nn.Module):
    """P(nothing | conditions).

    Args:
        conditions: number of encoded conditions.
        widths: hidden units of the network.
    """

    base: Tensor

    def __init__(self, conditions: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.network = dense((conditions, *widths, 1), nn.SiLU)
        last = self.network[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.register_buffer("base", torch.full((1,), ALWAYS))
        self.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]
            _never_empty_unless_said
        )

    def fit(self, empty: Tensor) -> None:
        """Start from the part of the training events (n,) that are empty."""
        part = empty.double().mean()
        self.base.fill_(ALWAYS if part == 0 else torch.logit(1 - part, 1e-6))

    def loss(self, empty: Tensor, conditions: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of which events (n,) are empty."""
        occupancy = self._occupancy(conditions)[:, 0]
        return functional.softplus(torch.where(empty, occupancy, -occupancy)).mean()

    def forward(self, noise: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Return whether events hold something (n, 1), and noise (n, 1) that is normal again."""
        score, clarity = score_of_something(noise, self._occupancy(conditions))
        return clarity > 0, torch.where(self.base < ALWAYS, score, noise)

    def _occupancy(self, conditions: Tensor) -> Tensor:
        shift: Tensor = self.network(conditions)
        return self.base + shift.clamp(-MOST_CERTAIN, MOST_CERTAIN)


def _never_empty_unless_said(
    module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    """Add what a simulator lacks that was saved without this module: it has no empty events."""
    for name, value in module.state_dict().items():
        state.setdefault(prefix + name, value)
