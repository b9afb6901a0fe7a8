"""The losses of the first generative adversarial networks."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import softplus


class MinimaxCritic(nn.Module):
    """A discriminator with min_G max_D E[log D(x)] + E[log(1 - D(G(z)))], as the decks quote it.

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
            "real": softplus(-self.discriminator(real, conditions)).mean(),
            "fake": softplus(self.discriminator(fake, conditions)).mean(),
        }

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises: -log D(G(z))."""
        return {"generator": softplus(-self.discriminator(fake, conditions)).mean()}
