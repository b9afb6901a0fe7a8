"""The critic of the Wasserstein GANs, with a gradient penalty or with clipped weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.models.blocks.networks import gradient_penalty


class WassersteinCritic(nn.Module):
    """A critic whose difference in scores estimates the Wasserstein distance.

    It minimises E[D(G(z))] - E[D(x)], the generator -E[D(G(z))]: full simulation is labelled +1 and
    what is generated -1. D has to be Lipschitz-continuous, for which the penalty is one means.

    Args:
        score: samples (n, ...) and conditions (n, conditions) to scores (n, 1).
        penalty: weight of the gradient penalty; without it there is none.

    References:
        Arjovsky, Chintala, Bottou: Wasserstein GAN, arXiv:1701.07875, eq. 2 and algorithm 1; the
        penalty: Gulrajani et al., arXiv:1704.00028, eq. 3.
    """

    def __init__(self, score: nn.Module, penalty: float = 0.0) -> None:
        super().__init__()
        self.score = score
        self.penalty = penalty

    def forward(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return what the critic minimises; see :class:`simulacra.training.adversarial.Critics`."""
        both = torch.cat([real, fake]), torch.cat([conditions, conditions])
        on_real, on_fake = self.score(*both).chunk(2)
        losses = {"wasserstein": on_fake.mean() - on_real.mean()}
        if self.penalty:
            steepness = gradient_penalty(lambda x: self.score(x, conditions), real, fake, mix)
            losses["penalty"] = self.penalty * steepness
        return losses

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises."""
        return {"generator": -self.score(fake, conditions).mean()}


class ClippedCritic(WassersteinCritic):
    """A critic that is kept Lipschitz-continuous by weights within ±``bound``.

    Args:
        score: samples (n, ...) and conditions (n, conditions) to scores (n, 1).
        bound: of each weight and bias.

    References:
        arXiv:1701.07875, algorithm 1, line 7.
    """

    def __init__(self, score: nn.Module, bound: float) -> None:
        super().__init__(score)
        self.bound = bound

    @torch.no_grad()
    def clip(self) -> None:
        """Bring the weights back within their bounds; see :class:`simulacra.models.Clipped`."""
        for weights in self.parameters():
            weights.clamp_(-self.bound, self.bound)
