"""Normal scores, each given those before it: a triangular flow.

What all tracks do alike, as a scatter in one place that moves and turns them, makes scores follow
each other closely, and few tracks that do not have tails of their own: the distribution of a score
is a sinh-arcsinh one whose location is a sum of the scores before, with weights that the context
gives.

References:
    Papamakarios, Pavlakou, Murray: Masked autoregressive flow, arXiv:1705.07057, section 2; the
    sinh-arcsinh distributions: Jones and Pewsey (2009).
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.sinh_arcsinh import SinhArcsinh

SHAPES = 3
"""Parameters of each score beside its location: scale, skew, tail."""
HEAVIEST = 1.0
"""Minus the logarithm of the heaviest tail; none is lighter than normal."""
BEGIN = -2.0
"""Where the tails begin in training, before softplus: a bound would hold on to what touches it."""


class TriangularFlow(nn.Module):
    """P(scores | context) as a map to white noise.

    Args:
        scores: number of scores.
        context: number of features that the distributions are given.
        width: hidden units.
        largest: size of the largest score.
    """

    def __init__(self, scores: int, context: int, width: int, largest: float) -> None:
        super().__init__()
        self.scores, self.largest = scores, largest
        self.weights = scores * (scores - 1) // 2
        outputs = self.weights + SHAPES * scores
        self.network = dense((context, width, width, outputs), nn.SiLU)
        for parameter in cast("nn.Linear", self.network[-1]).parameters():
            nn.init.zeros_(parameter)

    def drawn(self, white: Tensor, context: Tensor) -> Tensor:
        """Return scores for white noise (n, scores) and context (n, context)."""
        weights, shapes = self._parts(context)
        found: list[Tensor] = []
        for place in range(self.scores):
            location = _sum(weights[place], found, white[:, :1])
            given = SinhArcsinh(location, *(shape[:, place, None] for shape in shapes))
            score = given.values(white[:, place, None])
            found.append(score.clamp(-self.largest, self.largest))
        return torch.cat(found, dim=1)

    def whitened(self, scores: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return white noise for scores (n, scores), and -log p of them (n,)."""
        weights, shapes = self._parts(context)
        before = torch.split(scores, 1, dim=1)
        sums = [_sum(w, before, scores[:, :1]) for w in weights]
        given = SinhArcsinh(torch.cat(sums, dim=1), *shapes)
        white, log_slope = given.sloped_scores(scores)
        errors = (white.square() + math.log(2 * math.pi)) / 2 - log_slope
        return white, errors.sum(dim=1)

    def _parts(self, context: Tensor) -> tuple[list[list[Tensor]], tuple[Tensor, ...]]:
        """Return each score's weights (n, 1) of those before, and the shapes (n, scores)."""
        flat, shapes = self.network(context).tensor_split([self.weights], dim=1)
        columns = list(torch.split(flat, 1, dim=1))
        weights = [columns[k * (k - 1) // 2 : k * (k + 1) // 2] for k in range(self.scores)]
        log_scale, skew, log_tail = shapes.view(-1, SHAPES, self.scores).unbind(1)
        return weights, (
            log_scale.clamp(-4.0, 1.0),
            skew.clamp(-2.0, 2.0),
            -functional.softplus(log_tail + BEGIN).clamp_max(HEAVIEST),
        )


def _sum(weights: list[Tensor], before: list[Tensor] | tuple[Tensor, ...], like: Tensor) -> Tensor:
    total = torch.zeros_like(like)
    for weight, score in zip(weights, before, strict=False):
        total = torch.addcmul(total, weight, score)
    return total
