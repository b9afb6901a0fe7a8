"""What all adversarial models offer: a generator, what judges it, and the noise in between."""

from __future__ import annotations

from typing import Generic, TypeVar

from torch import Tensor, nn

GeneratorT = TypeVar("GeneratorT", bound=nn.Module)
CriticsT = TypeVar("CriticsT", bound=nn.Module)


class GAN(nn.Module, Generic[GeneratorT, CriticsT]):
    """A generator and its critics; :mod:`simulacra.training.adversarial` trains them.

    Args:
        generator: conditions and noise (n, latent) to features.
        critics: what the loop asks of :class:`simulacra.training.adversarial.Critics`.
        latent: size of the Gaussian noise of one event.
    """

    def __init__(self, generator: GeneratorT, critics: CriticsT, latent: int) -> None:
        super().__init__()
        self.generator, self.critics, self.latent = generator, critics, latent

    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Do nothing: features come at a scale that the networks know."""

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` events."""
        return n, self.latent

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, ...) for encoded conditions and noise."""
        features: Tensor = self.generator(conditions, noise)
        return features
