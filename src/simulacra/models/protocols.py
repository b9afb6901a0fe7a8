"""Protocols between models, the surrogate that carries them, and the training loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Generator, Tensor


class GenerativeModel(Protocol):
    """A model as the surrogate that carries it sees it."""

    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Set constants from the training data, transformed and encoded."""

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the standard normal noise that ``n`` events need."""

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, ...), which the transform turns back into a response."""


class LikelihoodModel(GenerativeModel, Protocol):
    """A model with one loss, for the loop ``likelihood``."""

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return the named, weighted terms whose sum is minimised.

        Args:
            features: a batch of transformed responses (n, ...).
            conditions: the encoded conditions (n, conditions).
            rng: the only source of random numbers, on the CPU.
        """


@runtime_checkable
class Growing(Protocol):
    """A network that changes its form in the course of training."""

    def set_progress(self, fraction: float) -> None:
        """Take the form of this part of the training, from 0 to 1.

        The form is kept in buffers, so that averages, checkpoints and simulators hold it. The loop
        calls this before each step.
        """


@runtime_checkable
class Clipped(Protocol):
    """Critics whose weights have to stay within bounds, as the first WGAN's."""

    def clip(self) -> None:
        """Bring the weights back within their bounds.

        The loop calls this after each update of the critics.
        """
