"""Normal scores that hang together: a Gaussian copula whose correlations go with a context.

What each number is like alone is learned by its own distribution, which gives it a normal score;
the copula joins the scores and leaves each of them standard normal, exactly. With the context's
weights w, scores are rows of (1 + A_0 + sum_r w_r A_r) times white noise, each row divided by its
norm, with lower triangular A. Scores that an event does not have are left out of its likelihood.

References:
    A. Sklar, Publ. Inst. Statist. Univ. Paris 8 (1959) 229 (copulas); the form of the correlations
    is ours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.models.blocks.networks import dense

SMALL = 0.02
"""Typical weight of white noise in other scores where training begins."""
INDEPENDENT = 1e-4
"""Part of each score that the likelihood takes to be its own: keeps correlations invertible."""


class GaussianCopula(nn.Module):
    """P(scores | context), each score standard normal.

    Args:
        scores: number of scores.
        context: number of features that correlations go with.
        rank: number of matrices that the context mixes.
        width: hidden units of the network for the weights.
    """

    below: Tensor

    def __init__(self, scores: int, context: int, rank: int, width: int) -> None:
        super().__init__()
        self.weights = dense((context, width, rank), nn.SiLU)
        start = SMALL * torch.randn(rank, scores, scores)
        self.mixed = nn.Parameter(functional.pad(start, (0, 0, 0, 0, 1, 0)))
        self.register_buffer("below", torch.ones(scores, scores).tril(-1), persistent=False)

    def drawn(self, white: Tensor, context: Tensor) -> Tensor:
        """Return scores for white noise (n, scores) and context (n, context)."""
        parts, weights = self.mixed * self.below, self._weights(context)
        moved = functional.linear(white, parts.flatten(0, 1)).view(-1, *parts.shape[:2])
        # the squared norms of rows are quadratic forms of the weights
        products = torch.einsum("rij,sij->rsi", parts, parts).flatten(0, 1)
        squares = (weights[:, :, None] * weights[:, None]).flatten(1) @ products
        total = white + (weights[:, :, None] * moved).sum(dim=1)
        return total * (1 + squares).rsqrt()

    def errors(self, scores: Tensor, known: Tensor, context: Tensor) -> Tensor:
        """Return -log p (n,) of the known scores, over that of independent ones.

        Args:
            scores: (n, scores).
            known: which of them an event has (n, scores).
            context: (n, context).
        """
        has = known.to(scores.dtype)
        mixing = self._weights(context) @ (self.mixed * self.below).flatten(1)
        mixing = mixing.view(-1, *self.below.shape) + torch.eye(len(self.below)).to(mixing)
        mixing = mixing / mixing.norm(dim=2, keepdim=True) * has[:, :, None]
        own = 1 - (1 - INDEPENDENT) * has
        covariance = (1 - INDEPENDENT) * mixing @ mixing.mT + torch.diag_embed(own)
        factor = torch.linalg.cholesky(covariance)
        scores = scores * has
        white = torch.linalg.solve_triangular(factor, scores[..., None], upper=False)[..., 0]
        log_volume = factor.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        errors: Tensor = log_volume + (white.square() - scores.square()).sum(dim=1) / 2
        return errors

    def _weights(self, context: Tensor) -> Tensor:
        """Return the weights of the matrices (n, 1 + rank); the first's is 1."""
        return functional.pad(self.weights(context), (1, 0), value=1.0)
