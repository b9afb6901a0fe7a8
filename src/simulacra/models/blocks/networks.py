"""Small building blocks that several published systems share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

KERAS_MOMENTUM, KERAS_EPSILON = 0.01, 1e-3
"""Of batch norm where a system was published in Keras and says nothing else; momentum as torch
means it, the weight of the new batch."""
KERAS_SLOPE = 0.3
"""Of LeakyReLU in such a system."""
Layer = TypeVar("Layer", bound=nn.Linear | nn.Conv2d | nn.Conv3d)
Start = Callable[[Tensor], Tensor]
"""Fills a layer's weights (outputs, inputs, ...) before training and returns them."""


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


def leaky(dropout: float = 0.0, slope: float = 0.2) -> nn.Module:
    """Return LeakyReLU of slope 0.2, or another one, and dropout after it where asked for."""
    activation = nn.LeakyReLU(slope)
    return nn.Sequential(activation, nn.Dropout(dropout)) if dropout else activation


def he_uniform(weight: Tensor) -> Tensor:
    """Fill weights uniformly within sqrt(6 / inputs) (He et al., arXiv:1502.01852)."""
    return nn.init.kaiming_uniform_(weight, nonlinearity="relu")


def started(layer: Layer, start: Start = nn.init.xavier_uniform_) -> Layer:
    """Return a layer that begins with these weights, Glorot's unless said, and biases of zero."""
    start(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ZeroPadding(nn.Module):
    """Zeros around images of any number of axes.

    Args:
        zeros: how many before and after each axis, the last axis first.
    """

    def __init__(self, zeros: Sequence[int]) -> None:
        super().__init__()
        self.zeros = list(zeros)

    def forward(self, images: Tensor) -> Tensor:
        """Return the larger images (n, channels, ...)."""
        return functional.pad(images, self.zeros)


def same_padding(kernel: Sequence[int]) -> ZeroPadding:
    """Return the zeros with which a convolution keeps an image's size.

    A kernel of even length gets the odd one behind, as where these systems were published.
    """
    return ZeroPadding([n for size in reversed(kernel) for n in ((size - 1) // 2, size // 2)])


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
