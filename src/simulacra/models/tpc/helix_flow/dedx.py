"""Truncated dE/dx of a track, drawn before its deviations and charges.

Given species and momentum, dE/dx has more than one peak: a kaon that decays before the chamber
leaves the charge of a muon, one that does not leaves a multiple of it, and a stopping one still
more. Its density is a mixture given the track and its last row. Deviations and charges are drawn
given dE/dx, and the charges are scaled to reproduce it exactly, so that its mean and width are
learned by this density alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.sinh_arcsinh import SinhArcsinh
from simulacra.observables.tpc.tracks_against_helices import TRUNCATION

OF_DEDX = 2
"""Numbers of noise for it: of the part of the mixture, and within it."""
HALVINGS = 10
"""Bisections that find the largest charge of the truncated mean, to second order in its error."""
BEGIN = (-0.3, 1.0, 2.5)
"""Initial locations of the mixture's components: fast, slow, stopping particles."""
HEAVIEST = -0.4
"""Logarithm of the heaviest tail of a component."""
SHAPES = 4
"""Parameters of each component: location, scale, skew, tail."""


class EnergyLoss(nn.Module):
    """P(log truncated dE/dx | track).

    Args:
        features: number of features of a track.
    """

    bounds: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.parts = len(BEGIN)
        self.network = dense((features, 64, 64, self.parts * (1 + SHAPES)), nn.SiLU)
        self.register_buffer("begin", torch.tensor(BEGIN), persistent=False)
        self.register_buffer("bounds", torch.tensor([-10.0, 10.0]))

    def fit(self, dedx: Tensor) -> None:
        """Set the range of log dE/dx to that of training tracks (n, 1)."""
        self.bounds.copy_(torch.stack([dedx.min(), dedx.max()]))

    def drawn(self, features: Tensor, white: Tensor) -> Tensor:
        """Return log dE/dx (n, 1) for features (n, features) and normal noise (n, OF_DEDX)."""
        of_part, within = torch.split(white, 1, dim=1)
        logits, mixture = self._mixture(features)
        below = logits.softmax(dim=1).cumsum(dim=1)[:, :-1] < torch.special.ndtr(of_part)
        dedx = mixture.values(within).gather(1, below.sum(dim=1, keepdim=True))
        return torch.minimum(torch.maximum(dedx, self.bounds[0]), self.bounds[1])

    def errors(self, features: Tensor, dedx: Tensor) -> Tensor:
        """Return -log p (n, 1) of log dE/dx (n, 1)."""
        logits, mixture = self._mixture(features)
        of_parts = mixture.log_density(dedx) + logits.log_softmax(dim=1)
        errors: Tensor = -torch.logsumexp(of_parts, dim=1, keepdim=True)
        return errors

    def _mixture(self, features: Tensor) -> tuple[Tensor, SinhArcsinh]:
        """Return the components' logits (n, parts), and the components (n, parts)."""
        logits, shapes = self.network(features).tensor_split([self.parts], dim=1)
        location, log_scale, skew, log_tail = shapes.view(-1, SHAPES, self.parts).unbind(1)
        parts = SinhArcsinh(
            location * 2 + self.begin,
            (log_scale - 2).clamp(-5.0, 2.0),
            skew.clamp(-2.0, 2.0),
            (log_tail / 2).clamp(HEAVIEST, 1.0),
        )
        return logits, parts


def log_truncated_mean(values: Tensor, present: Tensor) -> Tensor:
    """Return the logarithm (n, 1) of the truncated mean of exp(values), 0 without values.

    Of m values, the lowest ceil(``TRUNCATION`` m), as ``observables.tpc`` takes
    them. With t the largest of these k, their sum is that of min(exp(values), t) less (m - k) t,
    and the derivative of that by t is 0: t need not be known well, and nothing is sorted.

    Args:
        values: logarithms (n, rows).
        present: which of them count, 1 or 0 (n, rows).

    References:
        Rockafellar, Uryasev, Journal of Risk 2 (2000) 21, theorem 1.
    """
    number = present.sum(dim=1, keepdim=True)
    taken = (TRUNCATION * number - 1e-3).ceil().clamp_min(1)
    some = present > 0
    counted = torch.where(some, values, math.inf)
    low = counted.amin(dim=1, keepdim=True)
    high = torch.where(some, values, -math.inf).amax(dim=1, keepdim=True)
    more = 2 * taken - values.shape[1]  # below less above, where as many are below as are taken
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = (middle - counted).sign().sum(dim=1, keepdim=True) >= more
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    parts = ((torch.minimum(values, high) - high).exp() * present).sum(dim=1, keepdim=True)
    mean = (parts - (number - taken)) / taken  # over the largest, which is one of them
    logarithm = torch.maximum(mean, 0.5 / taken).log() + high
    return torch.where(number > 0, logarithm, 0.0)
