"""Small building blocks that several published systems share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class TrainableSwish(nn.Module):
    """x sigmoid(beta x) with one trainable beta for the layer, as LWTNN can express it.

    References:
        Ramachandran, Zoph, Le: Searching for activation functions, arXiv:1710.05941; ATLAS's
        DNNCaloGAN uses it in the generator.
    """

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation, same shape."""
        return x * torch.sigmoid(self.beta * x)


class Factors(nn.Module):
    """Each feature times a constant of its own.

    Args:
        factors: (features,).
    """

    factors: Tensor

    def __init__(self, factors: Tensor) -> None:
        super().__init__()
        self.register_buffer("factors", factors)

    def forward(self, x: Tensor) -> Tensor:
        """Return the products, same shape."""
        return x * self.factors


def dense(
    widths: Sequence[int], activation: Callable[[], nn.Module], *, batch_norm: bool = False
) -> nn.Sequential:
    """Return dense layers of the given widths with an activation between, none after the last.

    Args:
        widths: number of inputs, of each hidden layer's units, and of outputs.
        activation: makes the activation after each hidden layer.
        batch_norm: normalise the units of each hidden layer before their activation.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths[:-1]):
        norm = [nn.BatchNorm1d(outputs)] if batch_norm else []
        layers += [nn.Linear(inputs, outputs), *norm, activation()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def beside(values: Tensor, conditions: Tensor) -> Tensor:
    """Return values (n, ...) and conditions (n, conditions) as one row of features for each."""
    values = values.flatten(1)
    return torch.cat([values, conditions], dim=1) if conditions.shape[1] else values


def leaky(dropout: float = 0.0) -> nn.Module:
    """Return LeakyReLU of slope 0.2, and dropout after it where asked for."""
    activation = nn.LeakyReLU(0.2)
    return nn.Sequential(activation, nn.Dropout(dropout)) if dropout else activation


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor
) -> Tensor:
    """Return E[(|grad D(x^)| - 1)^2] on lines between real and generated samples.

    Args:
        critic: x (n, ...) to a score (n, 1); everything else it uses counts as constant.
        real: samples of full simulation (n, ...).
        fake: generated samples (n, ...).
        mix: position on the line between them, uniform in [0, 1], (n, 1).

    References:
        Gulrajani et al.: Improved training of Wasserstein GANs, arXiv:1704.00028, eq. 3.
    """
    weight = mix.view(-1, *[1] * (real.ndim - 1))
    between = torch.lerp(fake, real, weight).detach().requires_grad_(True)
    score = critic(between).sum()
    (gradient,) = torch.autograd.grad(score, between, create_graph=True)
    norm: Tensor = gradient.flatten(1).norm(dim=1)
    return (norm - 1).square().mean()
