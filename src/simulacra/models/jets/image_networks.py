"""Networks of jet images: locally connected, convolutional, dense, and two of them added.

References:
    De Oliveira, Paganini, Nachman: Learning particle physics by example, arXiv:1701.05927, and the
    code published with it, in Keras. Weights that no start is stated for begin as Glorot's.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from simulacra.models.blocks.locally_connected import LocallyConnected
from simulacra.models.blocks.networks import (
    KERAS_EPSILON,
    KERAS_MOMENTUM,
    KERAS_SLOPE,
    ZeroPadding,
    he_uniform,
    leaky,
    same_padding,
    started,
)

PIXELS = 25
"""Rows and columns of an image: all sizes in this module follow from it."""
FIRST, CHANNELS = 7, 128
"""Rows, columns and channels of the image that a generator's dense layer makes."""
WIDTHS = 256, 512
"""Of the dense generator's hidden layers."""
CRITIC_WIDTHS = 1024, 512, 128
"""Of the dense discriminator's layers."""

batch_norm = partial(nn.BatchNorm2d, eps=KERAS_EPSILON, momentum=KERAS_MOMENTUM)
activation = partial(leaky, slope=KERAS_SLOPE)


def padded(n: int) -> ZeroPadding:
    """Return ``n`` zeros on every side."""
    return ZeroPadding((n,) * 4)


def enlarged() -> nn.Module:
    """Return what doubles rows and columns by repeating pixels."""
    return nn.Upsample(scale_factor=2)


def _first_image(latent: int) -> list[nn.Module]:
    dense = started(nn.Linear(latent, CHANNELS * FIRST**2))
    return [dense, nn.Unflatten(1, (CHANNELS, FIRST, FIRST))]


def locally_connected_generator(latent: int) -> nn.Sequential:
    """Return LAGAN's generator up to its last activation: (n, latent) to (n, 1, 25, 25)."""
    convolved = started(nn.Conv2d(CHANNELS, 64, 5), he_uniform)
    first = LocallyConnected(64, 6, (18, 18), (5, 5), start=he_uniform)
    second = LocallyConnected(6, 6, (28, 28), (3, 3), start=he_uniform)
    last = LocallyConnected(6, 1, second.size, (2, 2), bias=False, start=nn.init.xavier_normal_)
    return nn.Sequential(
        *_first_image(latent),
        *(same_padding((5, 5)), convolved, activation(), batch_norm(64)),
        *(enlarged(), padded(2), first, activation(), batch_norm(6)),
        *(enlarged(), second, activation()),
        last,
    )


def convolutional_generator(latent: int) -> nn.Sequential:
    """Return the DCGAN's: two deconvolutions and two convolutions."""
    layers = _first_image(latent)
    for inputs, outputs in ((CHANNELS, 64), (64, 32)):
        convolved = started(nn.Conv2d(inputs, outputs, 5), he_uniform)
        layers += [enlarged(), same_padding((5, 5)), convolved, activation(), batch_norm(outputs)]
    layers += [started(nn.Conv2d(32, 8, 3), he_uniform), activation()]
    return nn.Sequential(*layers, started(nn.Conv2d(8, 1, 2, bias=False), nn.init.xavier_normal_))


def dense_generator(latent: int) -> nn.Sequential:
    """Return the fully connected one: 256, 512, 625 units and 625 pixels."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((latent, *WIDTHS, PIXELS**2)):
        layers += [started(nn.Linear(inputs, outputs)), activation()]
    last = started(nn.Linear(PIXELS**2, PIXELS**2))
    return nn.Sequential(*layers, last, nn.Unflatten(1, (1, PIXELS, PIXELS)))


class Added(nn.Module):
    """Images of several networks, added pixel by pixel."""

    def __init__(self, *networks: nn.Module) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, latent: Tensor) -> Tensor:
        """Return images (n, 1, 25, 25) of latent vectors."""
        return torch.stack([network(latent) for network in self.networks]).sum(dim=0)


def hybrid_generator(latent: int) -> nn.Module:
    """Return a locally connected and a dense generator, added."""
    return Added(locally_connected_generator(latent), dense_generator(latent))


def locally_connected_features(dropout: float) -> nn.Sequential:
    """Return LAGAN's discriminator up to its 72 features."""
    convolved = started(nn.Conv2d(1, 32, 5))
    layers: list[nn.Module] = [same_padding((5, 5)), convolved, activation(dropout)]
    size, inputs = PIXELS, 32
    for zeros, kernel, stride in ((2, 5, 2), (2, 5, 1), (1, 3, 2)):
        image = size + 2 * zeros, size + 2 * zeros
        connected = LocallyConnected(inputs, 8, image, (kernel, kernel), (stride, stride))
        layers += [padded(zeros), connected, activation(), batch_norm(8), nn.Dropout(dropout)]
        size, inputs = connected.size[0], 8
    return nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten())


def convolutional_features(dropout: float) -> nn.Sequential:
    """Return the DCGAN's: four convolutions that halve the image."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((1, 32, 64, 128, 256)):
        convolved = started(nn.Conv2d(inputs, outputs, 5, stride=2))
        norm = [] if inputs == 1 else [batch_norm(outputs)]
        layers += [padded(2), convolved, activation(), *norm, nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Flatten())


def dense_features(dropout: float) -> nn.Sequential:
    """Return the fully connected one: 1024, 512 and 128 units."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise((PIXELS**2, *CRITIC_WIDTHS)):
        layers += [started(nn.Linear(inputs, outputs)), activation(dropout)]
    return nn.Sequential(*layers)


class SideBySide(nn.Module):
    """Features of several networks, one after another."""

    def __init__(self, *networks: nn.Module) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, features) of images (n, 1, 25, 25)."""
        return torch.cat([network(images) for network in self.networks], dim=1)


def hybrid_features(dropout: float) -> nn.Module:
    """Return the features of a locally connected and of a dense discriminator."""
    return SideBySide(locally_connected_features(dropout), dense_features(dropout))


def number_of(features: nn.Module) -> int:
    """Return how many features a discriminator makes of an image."""
    features.eval()
    with torch.no_grad():
        shape = features(torch.zeros(1, 1, PIXELS, PIXELS)).shape
    features.train()
    return math.prod(shape)
