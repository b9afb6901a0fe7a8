"""Layers of progressive GANs: equal learning rates, pixelwise norm, a look at the whole batch.

References:
    Karras, Aila, Laine, Lehtinen: Progressive growing of GANs for improved quality, stability, and
    variation, arXiv:1710.10196, sections 3, 4.1 and 4.2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

TINY = 1e-8


class EqualisedLinear(nn.Module):
    """A dense layer whose weights begin standard normal and are scaled at run time.

    The scale is He's, gain / sqrt(inputs), so that with Adam all weights learn at the same speed.
    """

    def __init__(self, inputs: int, outputs: int, gain: float = math.sqrt(2)) -> None:
        super().__init__()
        self.scale = gain / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs)."""
        return functional.linear(x, self.weight * self.scale, self.bias)


class EqualisedConvolution(nn.Module):
    """A convolution, likewise, that keeps rows and columns of an image."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, gain: float = math.sqrt(2)
    ) -> None:
        super().__init__()
        self.scale = gain / math.sqrt(inputs * kernel**2)
        self.padding = kernel // 2
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return images (n, outputs, rows, columns)."""
        return functional.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class PixelNorm(nn.Module):
    """Every pixel's channels (or, without pixels, the features) scaled to a mean square of 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled images or vectors, same shape."""
        return x * (x.square().mean(dim=1, keepdim=True) + TINY).rsqrt()


class BatchDeviation(nn.Module):
    """One more channel: by how much the images of a batch differ, the same number everywhere."""

    def forward(self, x: Tensor) -> Tensor:
        """Return images (n, channels + 1, rows, columns)."""
        deviation = (x.var(dim=0, correction=0) + TINY).sqrt().mean()
        return torch.cat([x, deviation.expand_as(x[:, :1])], dim=1)
