"""The sinh-arcsinh distribution: a normal one with a skew and tails of its own, in closed form.

Its map from values to normal scores takes and gives any number, so maps can follow each other: what
one leaves of a shoulder or an edge, the next can straighten (:class:`Chain`).

References:
    M. C. Jones, A. Pewsey (2009), Sinh-arcsinh distributions, Biometrika 96, 761.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

LARGEST_ARGUMENT = 8.0
"""sinh of it is as unlikely a score as single precision can say."""
LARGEST_DISTANCE = 30.0


class SinhArcsinh(NamedTuple):
    """Distributions of values; all tensors of one shape, or such that broadcast.

    Attributes:
        location, log_scale: where the values are and how far they spread.
        skew, log_tail: the shape; 0 for a normal distribution.
    """

    location: Tensor
    log_scale: Tensor
    skew: Tensor
    log_tail: Tensor

    def log_density(self, values: Tensor) -> Tensor:
        """Return log p of values."""
        score, log_slope = self.sloped_scores(values)
        return log_slope + log_normal(score)

    def sloped_scores(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the normal scores of values, and the logarithm of their derivatives."""
        distance = (values - self.location) / self.log_scale.exp()
        argument = asinh(distance) * self.log_tail.exp() - self.skew
        argument = argument.clamp(-LARGEST_ARGUMENT, LARGEST_ARGUMENT)
        log_slope = (
            self.log_tail - self.log_scale + argument.cosh().log() - distance.square().log1p() / 2
        )
        return argument.sinh(), log_slope

    def scores(self, values: Tensor, largest: float) -> Tensor:
        """Return the normal scores of values, none larger than ``largest``."""
        distance = (values - self.location) / self.log_scale.exp()
        argument = asinh(distance) * self.log_tail.exp() - self.skew
        most = math.asinh(largest)
        return argument.clamp(-most, most).sinh()

    def values(self, scores: Tensor) -> Tensor:
        """Return the values of normal scores."""
        argument = (asinh_of_scores(scores) + self.skew) * (-self.log_tail).exp()
        distance = argument.clamp(-LARGEST_DISTANCE, LARGEST_DISTANCE).sinh()
        return self.location + distance * self.log_scale.exp()


class Chain(NamedTuple):
    """Distributions whose values become normal scores by one or more maps, one after the other.

    Attributes:
        maps: the first takes values, each other one the scores of the one before.
    """

    maps: tuple[SinhArcsinh, ...]

    @property
    def location(self) -> Tensor:
        """Where the values are, as far as the first map says."""
        return self.maps[0].location

    def sloped_scores(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the normal scores of values, and the logarithm of their derivatives."""
        scores, log_slope = self.maps[0].sloped_scores(values)
        for following in self.maps[1:]:
            scores, factor = following.sloped_scores(scores)
            log_slope = log_slope + factor
        return scores, log_slope

    def scores(self, values: Tensor, largest: float) -> Tensor:
        """Return the normal scores of values, none larger than ``largest``."""
        for before in self.maps[:-1]:
            values = before.scores(values, math.sinh(LARGEST_ARGUMENT))
        return self.maps[-1].scores(values, largest)

    def values(self, scores: Tensor) -> Tensor:
        """Return the values of normal scores."""
        for each in reversed(self.maps):
            scores = each.values(scores)
        return scores


def log_normal(score: Tensor) -> Tensor:
    """Return log p of normal scores."""
    return -(score.square() + math.log(2 * math.pi)) / 2


def asinh(x: Tensor) -> Tensor:
    """Return the inverse of sinh from functions that processors have for whole vectors."""
    size = x.abs()
    found = (size + size.square() / (1 + (size.square() + 1).sqrt())).log1p()
    return found * x.sign()


def asinh_of_scores(scores: Tensor) -> Tensor:
    """Return the inverse of sinh to seven digits after the point, in less time."""
    return (scores.abs() + (scores.square() + 1).sqrt()).log() * scores.sign()
