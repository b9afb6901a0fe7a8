"""A normalising flow of masked networks for few numbers, such as those of a latent space.

Each block takes the numbers in an order, and makes of each one

    z'_i = (z_i - μ_i(z_<i)) / σ_i(z_<i),

with μ and σ from one masked network (MADE) that shows number i only those before it. All of z' come
at once from z, as training by maximum likelihood needs it; the way back takes one pass of the
network for each number, which is cheap for a few. The order is reversed from block to block.

References:
    Germain et al., MADE, arXiv:1502.03509; Kingma et al., inverse autoregressive flow,
    arXiv:1606.04934; Papamakarios et al., arXiv:1705.07057, for this direction. Ghosh &
    Rousseau (ATLAS, 2019) call it IAF: "input a variable with specified ordering, output (μ, σ)
    for each element conditioned on the previous elements".
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from zuko.nn import MaskedLinear, MaskedMLP

from simulacra.models.blocks.networks import beside

BOUND = math.log(1e3)
"""Of |ln σ|, approached smoothly: no number grows a thousandfold in one block."""


class AutoregressiveBlock(nn.Module):
    """One order and one masked network; it begins as the identity.

    Args:
        order: a permutation (features,): ``order[i]`` is where number i stands in the order.
        context: number of inputs beside, which every number may see.
        widths: hidden units of the network.
    """

    def __init__(self, order: Tensor, context: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.features = len(order)
        before = order[None, :] < order[:, None]
        sees = torch.cat([before, torch.ones(self.features, context, dtype=torch.bool)], dim=1)
        self.network = MaskedMLP(sees.repeat(2, 1), widths, nn.ELU)
        last = cast("MaskedLinear", self.network[-1])
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return z' (n, features), and log |det dz'/dz| (n,)."""
        mean, log_width = self._mean_and_log_width(z, context)
        return (z - mean) * (-log_width).exp(), -log_width.sum(dim=1)

    def invert(self, normal: Tensor, context: Tensor) -> Tensor:
        """Return z of z'; after each pass one more number of the order is right."""
        z = torch.zeros_like(normal)
        for _ in range(self.features):
            mean, log_width = self._mean_and_log_width(z, context)
            z = normal * log_width.exp() + mean
        return z

    def _mean_and_log_width(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = self.network(beside(z, context)).chunk(2, dim=1)
        return mean, raw / (1 + raw.abs() / BOUND)


class AutoregressiveFlow(nn.Module):
    """A chain of blocks between latent numbers and N(0, 1), the order reversed between them.

    Args:
        features: number of latent numbers.
        context: number of inputs beside.
        blocks: number of blocks.
        widths: hidden units of each block's network.
    """

    def __init__(self, features: int, context: int, blocks: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.features = features
        order = torch.arange(features)
        self.blocks = nn.ModuleList(
            AutoregressiveBlock(order.flip(0) if number % 2 else order, context, widths)
            for number in range(blocks)
        )

    def forward(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the latent numbers become (n, features), and log |det| (n,)."""
        total = torch.zeros_like(z[:, 0])
        for block in self.blocks:
            z, log_slope = block(z, context)
            total = total + log_slope
        return z, total

    def invert(self, normal: Tensor, context: Tensor) -> Tensor:
        """Return latent numbers of standard normal ones (n, features)."""
        for block in reversed(self.blocks):
            normal = cast("AutoregressiveBlock", block).invert(normal, context)
        return normal

    def log_likelihood(self, z: Tensor, context: Tensor) -> Tensor:
        """Return log p(z | context) of each event (n,), but for the constant of N(0, 1)."""
        normal, log_slope = self.forward(z, context)
        return log_slope - normal.square().sum(dim=1) / 2
