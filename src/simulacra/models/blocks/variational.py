"""What variational autoencoders share.

References:
    Kingma, Welling: Auto-encoding variational Bayes, arXiv:1312.6114, section 2.4 and eq. 10.
"""

from __future__ import annotations

from torch import Generator, Tensor

from simulacra.transforms.drawn import normal


def drawn(mean: Tensor, log_variance: Tensor, rng: Generator) -> Tensor:
    """Return numbers of N(mean, variance), same shape, through which gradients flow to both."""
    noise = normal(mean.shape, rng, mean.device)
    return mean + noise * (log_variance / 2).exp()


def divergence_from_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, 1)) of each event (n,), summed over (n, latent)."""
    terms = mean.square() + log_variance.exp() - 1 - log_variance
    return terms.sum(dim=1) / 2
