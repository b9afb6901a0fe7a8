"""A normal distribution with an upper tail: beyond a knee, scores of values stray upwards.

Delta electrons give a cluster up to ten times its charge. The map from normal scores to values runs
with one slope up to the knee, and with a far steeper one beyond. The bend is a hyperbola's, so that
the map and its inverse are in closed form. (Straight pieces with several knees fit the charges
worse: their density has steps.)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from simulacra.models.distributions.sinh_arcsinh import log_normal

BEND = 0.3
"""Scores over which the slope changes."""


class UpperTail(NamedTuple):
    """Normal values, but for those that stray; tensors of one shape, or such that broadcast.

    Attributes:
        location, scale: where most values are and how far they spread.
        knee: score above which values stray.
        reach: half of what is added to the slope there, in the values' unit, not negative.
    """

    location: Tensor
    scale: Tensor
    knee: Tensor
    reach: Tensor

    def log_density(self, values: Tensor) -> Tensor:
        """Return log p of values."""
        beyond = self._beyond(values)
        slope = self.scale + self.reach * bend_slope(beyond)
        return log_normal(beyond + self.knee) - slope.log()

    def scores(self, values: Tensor, largest: float) -> Tensor:
        """Return the normal scores of values, none larger than ``largest``."""
        return (self._beyond(values) + self.knee).clamp(-largest, largest)

    def values(self, scores: Tensor) -> Tensor:
        """Return the values of normal scores."""
        near = torch.addcmul(self.location, scores, self.scale)
        return torch.addcmul(near, above(scores, self.knee), self.reach)

    def _beyond(self, values: Tensor) -> Tensor:
        """Return by how much scores are above the knee."""
        distance = (values - self.location) / self.scale
        reach = self.reach / self.scale
        return unbent(distance + reach * bent(-self.knee) - self.knee, reach)


def bent(x: Tensor) -> Tensor:
    """Return 0 far below zero, 2 x far above."""
    return x + (x.square() + BEND**2).sqrt()


def above(scores: Tensor, knee: Tensor) -> Tensor:
    """Return twice how far scores are above a knee, 0 at a score of 0."""
    return bent(scores - knee) - bent(-knee)


def bend_slope(x: Tensor) -> Tensor:
    """Return the derivative of :func:`bent`."""
    return 1 + x * (x.square() + BEND**2).rsqrt()


def unbent(values: Tensor, reach: Tensor) -> Tensor:
    """Return the x for which x + reach bent(x) are given values: the root of a square."""
    root = (values.square() + (1 + 2 * reach) * BEND**2).sqrt()
    return (values * (1 + reach) - reach * root) / (1 + 2 * reach)
