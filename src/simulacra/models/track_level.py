"""How much charge the clusters of a track have on average, drawn before all that follows from it.

A kaon that has decayed before the chamber leaves the charge of a muon, one that has not a multiple
of it, and a stopping one more still: given species and momentum, the mean logarithm of the charge
has more than one peak. It has a distribution of its own, a mixture, and where a track ends, its
deviations and the charges of its rows follow from it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.models.marginals import logit_of
from simulacra.models.networks import dense
from simulacra.models.sinh_arcsinh import SinhArcsinh

OF_LEVEL = 2
"""Numbers of noise for a level: of the part of the mixture, and within it."""
BEGIN = (-0.3, 1.0)
"""Where the parts of the mixture begin in training."""
HEAVIEST = -0.4
"""Logarithm of the heaviest tail of a part."""
SHAPES = 4
"""Parameters of each part: location, scale, skew, tail."""


class ChargeLevel(nn.Module):
    """P(mean of a track's log q over its clusters | track).

    Args:
        features: number of features of what is known of a track.
    """

    bounds: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.parts = len(BEGIN)
        self.network = dense((features, 32, 32, self.parts * SHAPES + self.parts - 1), nn.SiLU)
        self.register_buffer("begin", torch.tensor(BEGIN), persistent=False)
        self.register_buffer("bounds", torch.tensor([-10.0, 10.0]))

    def fit(self, levels: Tensor) -> None:
        """Set the least and the most that occurs, from those of training tracks (n,)."""
        self.bounds.copy_(torch.stack([levels.min(), levels.max()]))

    def drawn(self, features: Tensor, white: Tensor) -> Tensor:
        """Return levels (n, 1) for features (n, features) and normal noise (n, OF_LEVEL)."""
        of_part, within = torch.split(white, 1, dim=1)
        logit, mixture = self._mixture(features)
        of_parts = mixture.values(within)
        level = torch.where(logit_of(of_part) < logit, of_parts[:, :1], of_parts[:, 1:])
        return torch.minimum(torch.maximum(level, self.bounds[0]), self.bounds[1])

    def errors(self, features: Tensor, level: Tensor) -> Tensor:
        """Return -log p (n, 1) of levels (n, 1)."""
        logit, mixture = self._mixture(features)
        of_parts = mixture.log_density(level)
        weights = torch.cat([functional.logsigmoid(logit), functional.logsigmoid(-logit)], dim=1)
        errors: Tensor = -torch.logsumexp(of_parts + weights, dim=1, keepdim=True)
        return errors

    def _mixture(self, features: Tensor) -> tuple[Tensor, SinhArcsinh]:
        """Return the logit of the first part (n, 1), and the parts (n, parts)."""
        logit, shapes = self.network(features).tensor_split([self.parts - 1], dim=1)
        location, log_scale, skew, log_tail = shapes.view(-1, SHAPES, self.parts).unbind(1)
        parts = SinhArcsinh(
            location * 2 + self.begin,
            (log_scale - 1).clamp(-4.0, 2.0),
            skew.clamp(-2.0, 2.0),
            (log_tail / 2).clamp(HEAVIEST, 1.0),
        )
        return logit, parts


def level_of(charge: Tensor, present: Tensor) -> Tensor:
    """Return the mean charge (n, 1) of tracks' clusters, 0 where there is none."""
    total = (charge * present).sum(dim=1, keepdim=True)
    return total / present.sum(dim=1, keepdim=True).clamp_min(1)
