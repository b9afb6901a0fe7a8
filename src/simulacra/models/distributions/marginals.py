"""Distributions of single features that may be empty, and their normal scores.

A calorimeter cell is either empty or holds an energy that varies over decades. Both facts go into
one distribution: with probability sigmoid(occupancy) there is something, and its logarithm follows
a sinh-arcsinh distribution, or one that takes a second such map to become normal. The distribution
function then takes the feature to the unit interval (an empty one to a random point of what belongs
to emptiness) and on to a normal score. Scores are standard normal where the distributions are
right, whatever the mixture of zeros, cores and tails was; what is left to learn is how they hang
together.

References:
    E. Page: Approximations to the cumulative normal function, Applied Statistics 26 (1977) 75. His
    logit of the normal distribution, a cubic, is taken for the normal distribution throughout: it
    has a closed inverse and is within 1.4e-4 of it.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Generator, Tensor
from torch.nn import functional

from simulacra.models.distributions.sinh_arcsinh import Chain, SinhArcsinh
from simulacra.transforms.drawn import uniform

LINEAR, CUBIC = 1.5976, 0.070565
LARGEST_SCORE = 5.5
"""Normal scores beyond this (one in 10^7.7) are taken for this."""
LARGEST_INSIDE = 10.0
"""The same for scores of values alone, before emptiness is counted in."""
MOST_CERTAIN = 16.0
"""Largest logit of the probability to hold something, or nothing."""


OF_ONE_MAP = 4
"""Numbers that describe one sinh-arcsinh map."""


def parameters(maps: int) -> int:
    """Return how many numbers describe the distribution of one feature: its maps and occupancy."""
    return 1 + OF_ONE_MAP * maps


class Marginals(NamedTuple):
    """One distribution for each feature of each event; all tensors (n, features).

    Attributes:
        occupancy: logit of the probability that there is something.
        shape: how the value is distributed where there is something.
    """

    occupancy: Tensor
    shape: Chain

    @classmethod
    def of(cls, outputs: Tensor, centre: Tensor, spread: Tensor, occupancy: Tensor) -> Self:
        """Return the distributions that a network's outputs mean.

        Args:
            outputs: (n, features, :func:`parameters` of the maps), of order one.
            centre: of the values, that an output of zero stands for (features,).
            spread: likewise.
            occupancy: the logit that an output of zero stands for (features,).
        """
        occupied, *rest = outputs.unbind(-1)
        location, log_scale, skew, log_tail = rest[:OF_ONE_MAP]
        first = SinhArcsinh(
            centre + spread * 2 * location.clamp(-10.0, 10.0),
            spread.log() + log_scale.clamp(-6.0, 4.0),
            skew.clamp(-4.0, 4.0),
            log_tail.clamp(-1.5, 1.5),
        )
        following = [
            _of_scores(*rest[start : start + OF_ONE_MAP])
            for start in range(OF_ONE_MAP, len(rest), OF_ONE_MAP)
        ]
        occupied = (occupancy + 4 * occupied).clamp(-MOST_CERTAIN, MOST_CERTAIN)
        return cls(occupied, Chain((first, *following)))

    def negative_log_likelihood(self, values: Tensor) -> Tensor:
        """Return -log p of values (n, features).

        They are -inf where there is nothing, and inf where there is something whose value follows
        from other features: of it only that it is there is learned.
        """
        full, free = values > -torch.inf, torch.isfinite(values)
        score, log_slope = self.shape.sloped_scores(torch.where(free, values, self.shape.location))
        logit = logit_of(score)
        log_density = (
            log_slope
            + (LINEAR + 3 * CUBIC * score.square()).log()
            - functional.softplus(logit)
            - functional.softplus(-logit)
        )
        return torch.where(
            full,
            functional.softplus(-self.occupancy) - torch.where(free, log_density, 0.0),
            functional.softplus(self.occupancy),
        )

    def scores(self, values: Tensor, rng: Generator) -> Tensor:
        """Return normal scores of values (n, features).

        Where there is nothing, or something whose value is inf, it is a random one of what belongs
        to that.
        """
        full, free = values > -torch.inf, torch.isfinite(values)
        score = self.shape.scores(torch.where(free, values, self.shape.location), LARGEST_INSIDE)
        place = uniform(values.shape, rng, values.device).clamp_min(1e-7)
        # log of the probability to lie above; there it is exact for large values
        above = torch.where(free, -functional.softplus(logit_of(score)), place.log())
        log_above = above - functional.softplus(-self.occupancy)
        of_values = log_of_rest(log_above) - log_above
        log_below = place.log() - functional.softplus(self.occupancy)
        of_nothing = log_below - log_of_rest(log_below)
        return normal_score(torch.where(full, of_values, of_nothing))

    def values(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values (n, features) of normal scores, and how clearly there is something.

        The second is positive where there is something; the values are finite everywhere.
        """
        score, clarity = score_of_something(scores, self.occupancy)
        return self.shape.values(score), clarity


def _of_scores(location: Tensor, log_scale: Tensor, skew: Tensor, log_tail: Tensor) -> SinhArcsinh:
    """Return a further map, of scores: closer to the identity than one of values may be."""
    return SinhArcsinh(
        location.clamp(-4.0, 4.0),
        log_scale.clamp(-2.0, 2.0),
        skew.clamp(-2.0, 2.0),
        log_tail.clamp(-1.0, 1.0),
    )


def score_of_something(scores: Tensor, occupancy: Tensor) -> tuple[Tensor, Tensor]:
    """Return normal scores of what is not nothing, and how clearly there is something.

    The lowest part of the scores, sigmoid(-occupancy), stands for nothing; the rest becomes
    standard normal. The second is positive where there is something; the first is always finite.
    """
    scores = scores.clamp(-LARGEST_SCORE, LARGEST_SCORE)
    logit = logit_of(scores)
    log_above = functional.softplus(-occupancy) - functional.softplus(logit)
    log_above = log_above.clamp_max(-1e-6)
    return normal_score(log_of_rest(log_above) - log_above), logit + occupancy


def log_of_rest(log_probability: Tensor) -> Tensor:
    """Return log(1 - p) of log p, kept finite where p rounds to 1."""
    return (-torch.expm1(log_probability.clamp_max(-1e-7))).log()


def logit_of(score: Tensor) -> Tensor:
    """Return the logit of the probability to lie below a normal score."""
    return LINEAR * score + CUBIC * score**3


def normal_score(logit: Tensor) -> Tensor:
    """Return the inverse of :func:`logit_of`, by Cardano's formula, between -5.5 and 5.5."""
    p = LINEAR / (3 * CUBIC)
    q = logit.abs() / (2 * CUBIC)
    root = (q + (q.square() + p**3).sqrt()) ** (1 / 3)
    z: Tensor = logit.sign() * (root - p / root)
    return z.clamp(-LARGEST_SCORE, LARGEST_SCORE)
