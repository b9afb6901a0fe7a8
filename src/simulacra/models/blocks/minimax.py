"""The losses of the first generative adversarial networks."""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

VANILLA = MappingProxyType(
    {
        "critic_updates": 1,
        "optimiser": {"kind": "adam", "betas": [0.5, 0.999]},
        "learning_rate": 1e-3,
        "averaging": 0.99,
    }
)
"""How such networks are trained where nothing else is measured: Adam's betas are those of DCGAN."""


def called_real(logits: Tensor, flipped: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of logits whose label is full simulation: -log D, the mean.

    Args:
        logits: of D (n, 1).
        flipped: where the label is turned round (n, 1), if anywhere.
    """
    return softplus(-logits if flipped is None else torch.where(flipped, logits, -logits)).mean()


def called_fake(logits: Tensor, flipped: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of logits whose label is generated: -log(1 - D), the mean."""
    return called_real(-logits, flipped)


class MinimaxCritic(nn.Module):
    """A discriminator with min_G max_D E[log D(x)] + E[log(1 - D(G(z)))], the minimax loss.

    The generator minimises -log D(G(z)) in place of log(1 - D(G(z))): the same fixed point, and a
    gradient also where the discriminator is sure. With D the sigmoid of a logit, all terms are
    binary cross-entropies.

    Args:
        discriminator: samples (n, ...) and conditions to logits (n, 1); large for full simulation.

    References:
        Goodfellow et al.: Generative adversarial networks, arXiv:1406.2661, eq. 1 and section 3.
    """

    def __init__(self, discriminator: nn.Module) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(
        self,
        real: Tensor,
        fake: Tensor,
        conditions: Tensor,
        mix: Tensor,  # noqa: ARG002 - no penalty here
    ) -> dict[str, Tensor]:
        """Return what the discriminator minimises: -log D(x) and -log(1 - D(G(z)))."""
        return {
            "real": called_real(self.discriminator(real, conditions)),
            "fake": called_fake(self.discriminator(fake, conditions)),
        }

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises: -log D(G(z))."""
        return {"generator": called_real(self.discriminator(fake, conditions))}
