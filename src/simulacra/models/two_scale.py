"""Distributions with two scales: most values lie near, and beyond a knee they stray far.

Delta electrons put a cluster a centimetre beside its track, ten times as far as diffusion does, and
give it ten times the charge; hardly anything lies in between. The maps from normal scores to values
run with one slope up to the knee, and with a far steeper one beyond. The bend is a hyperbola's, so
that the maps and their inverses are in closed form.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import torch
from torch import Tensor

BEND = 0.3
"""Scores over which the slope changes."""


class TwoScale(NamedTuple):
    """Values that stray to both sides; all tensors of one shape, or such that broadcast.

    Attributes:
        location, scale: where most values are and how far they spread.
        knee: size of the score beyond which values stray, positive.
        reach: half of what is added to the slope there, in the values' unit, not negative.
    """

    location: Tensor
    scale: Tensor
    knee: Tensor
    reach: Tensor

    def log_density(self, values: Tensor) -> Tensor:
        """Return log p of values."""
        beyond = self._beyond(values)
        score = (beyond + self.knee).clamp_min(0.0)
        return _log_normal(score) - (self.scale + self.reach * bend_slope(beyond)).log()

    def scores(self, values: Tensor, largest: float) -> Tensor:
        """Return the normal scores of values, none larger than ``largest``."""
        score = (self._beyond(values) + self.knee).clamp(0.0, largest)
        return score * (values - self.location).sign()

    def strayed(self, scores: Tensor) -> Tensor:
        """Return how far values of normal scores lie beyond what the near scale gives."""
        return self.reach * above(scores.abs(), self.knee) * scores.sign()

    def given(self, scores: Tensor, strayed: Tensor) -> Tensor:
        """Return the values of normal scores with what :meth:`strayed` says of them."""
        return torch.addcmul(self.location + strayed, scores, self.scale)

    def values(self, scores: Tensor) -> Tensor:
        """Return the values of normal scores."""
        return self.given(scores, self.strayed(scores))

    def moved(self, by: Tensor, part: Tensor) -> Self:
        """Return the distribution moved, and wider for it by a part of how far it was moved."""
        scale = (self.scale.square() + (part * by).square()).sqrt()
        return self._replace(location=self.location + by, scale=scale)

    def _beyond(self, values: Tensor) -> Tensor:
        """Return by how much the size of a score is beyond the knee."""
        distance = (values - self.location).abs() / self.scale
        return _beyond(distance, self.knee, self.reach / self.scale)


class UpperTail(NamedTuple):
    """Normal values, but for those that stray upwards; tensors as of :class:`TwoScale`.

    Attributes:
        location, scale: where most values are and how far they spread.
        knee: score above which values stray.
        reach: half of what is added to the slope there, not negative.
    """

    location: Tensor
    scale: Tensor
    knee: Tensor
    reach: Tensor

    def log_density(self, values: Tensor) -> Tensor:
        """Return log p of values."""
        beyond = self._beyond(values)
        slope = self.scale + self.reach * bend_slope(beyond)
        return _log_normal(beyond + self.knee) - slope.log()

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
        return _beyond(distance, self.knee, self.reach / self.scale)


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


def _beyond(distance: Tensor, knee: Tensor, reach: Tensor) -> Tensor:
    """Return by how much scores are above a knee, for values in units of the near scale."""
    return unbent(distance + reach * bent(-knee) - knee, reach)


def _log_normal(score: Tensor) -> Tensor:
    return -(score.square() + math.log(2 * math.pi)) / 2
