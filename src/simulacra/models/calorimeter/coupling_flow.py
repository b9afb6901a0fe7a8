"""A coupling flow of rational-quadratic splines: layer energies first, then the cells given them.

Both stages turn Gaussian noise into features of :class:`simulacra.transforms.NormalisedShowers` by
a chain of coupling blocks: half of the features pass and steer, through a dense network, a
monotonic spline for each of the other half. Noise to data is the direction that needs no root, so
that generating is the cheap and the safe one; training inverts the splines in closed form. Either
way a block is one pass of its network. Events without any energy are no part of either density:
how often they occur is learned beside (:mod:`simulacra.models.distributions.emptiness`).

References:
    Ernst, Favaro, Krause, Plehn, Shih: Normalizing flows for high-dimensional detector simulations
    (CaloINN), arXiv:2312.09290: 12 blocks of 4 layers of 256 units with 10 bins; the defaults here
    are smaller, for one core. The splines: Durkan et al., Neural spline flows, arXiv:1906.04032.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal, cast

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from zuko.transforms import MonotonicRQSTransform

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.emptiness import Emptiness
from simulacra.models.requirements import several_cells_for
from simulacra.models.system import Recommended, System
from simulacra.transforms import NormalisedShowers, Transform
from simulacra.transforms.calorimeter.layers import CELLS, ENERGIES, OTHERS, RESPONSE


class CouplingFlowConfig(Frozen):
    """The options of the model.

    Attributes:
        energy_blocks: coupling blocks of the layer energies.
        energy_widths: hidden units of each of their networks.
        shape_blocks: coupling blocks of the cells.
        shape_widths: hidden units of each of their networks.
        bins: of each spline.
        bound: splines act between -bound and bound, in standard deviations of a feature; beyond
            they are the identity.
        zero_width: part of its layer below which a cell counts as empty, and of what is left below
            which a layer does.
    """

    kind: Literal["coupling-flow"] = "coupling-flow"
    energy_blocks: int = Field(default=6, ge=2)
    energy_widths: tuple[int, ...] = (64, 64)
    shape_blocks: int = Field(default=6, ge=2)
    shape_widths: tuple[int, ...] = (256, 256)
    bins: int = Field(default=8, ge=2)
    bound: float = Field(default=10.0, gt=0)
    zero_width: float = Field(default=5e-6, gt=0, lt=1e-2)


class CouplingBlock(nn.Module):
    """Splines for the ``active`` features, steered by the ``passive`` ones and the context.

    Args:
        passive: positions of the features that pass.
        active: positions of all others.
        context: number of inputs beside the features.
        widths: hidden units of the network.
        bins: of each spline.
        bound: splines act between -bound and bound.
    """

    passive: Tensor
    active: Tensor
    back: Tensor

    def __init__(
        self,
        passive: Tensor,
        active: Tensor,
        context: int,
        widths: tuple[int, ...],
        bins: int,
        bound: float,
    ) -> None:
        super().__init__()
        self.bins, self.bound = bins, bound
        self.register_buffer("passive", passive.clone())
        self.register_buffer("active", active.clone())
        self.register_buffer("back", torch.cat([passive, active]).argsort())
        outputs = len(active) * (3 * bins - 1)
        self.network = dense((len(passive) + context, *widths, outputs), nn.ReLU)
        last = cast("nn.Linear", self.network[-1])
        nn.init.zeros_(last.weight)  # all splines begin as the identity
        nn.init.zeros_(last.bias)

    def _numbers(self, passive: Tensor, context: Tensor) -> Tensor:
        inputs = torch.cat([passive.clamp(-self.bound, self.bound), context], dim=1)
        outputs: Tensor = self.network(inputs)
        return outputs.view(-1, len(self.active), 3 * self.bins - 1)

    def _splines(self, numbers: Tensor) -> MonotonicRQSTransform:
        sizes = [self.bins, self.bins, self.bins - 1]
        return MonotonicRQSTransform(*torch.split(numbers, sizes, dim=-1), bound=self.bound)

    def forward(self, noise: Tensor, context: Tensor) -> Tensor:
        """Return the features one step nearer to data, same shape."""
        passive = noise[:, self.passive]
        moved = self._splines(self._numbers(passive, context))(noise[:, self.active])
        return torch.cat([passive, moved], dim=1)[:, self.back]

    def invert(self, data: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features one step nearer to noise, and log |d noise / d data| (n,).

        The root is found in double precision: in single it is off by up to a standard deviation
        where neighbouring slopes are very unequal.
        """
        passive = data[:, self.passive]
        splines = self._splines(self._numbers(passive, context).double())
        moved, log_slope = inverse_and_log_slope(splines, data[:, self.active].double())
        back = torch.cat([passive, moved.to(data.dtype)], dim=1)[:, self.back]
        return back, log_slope.sum(dim=1).to(data.dtype)


def inverse_and_log_slope(spline: MonotonicRQSTransform, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return x with spline(x) = y, and log dx/dy, both of the shape of ``y``.

    The root is the one of Durkan et al., eq. 29; its discriminant, which rounding can make
    negative between very unequal slopes, is kept positive.
    """
    k = spline.searchsorted(spline.vertical, y) - 1
    inside, x0, x1, y0, y1, d0, d1, slope = spline.bin(k)
    height = torch.where(inside, (y - y0) / (y1 - y0), 0.5)
    bend = d0 + d1 - 2 * slope
    a = slope - d0 + height * bend
    b = d0 - height * bend
    c = slope * height
    root = (b.square() + 4 * a * c).clamp_min(1e-12).sqrt()
    t = (2 * c / (b + root)).clamp(0.0, 1.0)  # the place between the bin's edges
    between = t * (1 - t)
    numerator = slope.square() * (d1 * t.square() + 2 * slope * between + d0 * (1 - t).square())
    log_slope = numerator.log() - 2 * (slope + bend * between).log()
    x = torch.where(inside, x0 + t * (x1 - x0), y)
    return x, torch.where(inside, -log_slope, 0.0)


class CouplingFlow(nn.Module):
    """A chain of coupling blocks between Gaussian noise and data.

    Each pair of blocks splits the features at random once, and the second moves what the first
    let pass.

    Args:
        features: number of features.
        context: number of inputs that steer the flow.
        blocks: number of coupling blocks.
        widths: hidden units of their networks.
        config: bins and bound of the splines.
    """

    def __init__(
        self,
        features: int,
        context: int,
        blocks: int,
        widths: tuple[int, ...],
        config: CouplingFlowConfig,
    ) -> None:
        super().__init__()
        self.features = features
        self.blocks = nn.ModuleList()
        for number in range(blocks):
            if number % 2 == 0:
                active, passive = torch.randperm(features).tensor_split(2)
            elif features > 1:  # a single feature is always the active one
                active, passive = passive, active
            block = CouplingBlock(passive, active, context, widths, config.bins, config.bound)
            self.blocks.append(block)

    def forward(self, noise: Tensor, context: Tensor) -> Tensor:
        """Return data (n, features) for noise of the same shape."""
        for block in self.blocks:
            noise = block(noise, context)
        return noise

    def log_likelihood(self, data: Tensor, context: Tensor) -> Tensor:
        """Return log p(data | context) of each event (n,)."""
        total = torch.zeros_like(data[:, 0])
        for block in reversed(self.blocks):
            data, log_slope = cast("CouplingBlock", block).invert(data, context)
            total = total + log_slope
        constant = self.features * math.log(2 * math.pi) / 2
        return total - data.square().sum(dim=1) / 2 - constant


class TwoStageFlow(nn.Module, System):
    """P(layer energies | conditions) and P(cells | layer energies, conditions)."""

    Config = CouplingFlowConfig
    serves = "calorimeter"
    loop = "likelihood"
    summary = "rational-quadratic splines: layer energies, then cells given them"
    reference = "after CaloINN, arXiv:2312.09290"
    recommended: ClassVar[Recommended] = {
        "training": {"steps": 7000, "batch_size": 256, "learning_rate": 1e-3},
        "selection": {"every": 500},
    }
    """As in benchmarks/coupling_flow/coupling-flow.yaml."""

    def __init__(self, config: CouplingFlowConfig, detector: Detector, conditions: int) -> None:
        super().__init__()
        self.bound = config.bound
        of_layers = several_cells_for(config.kind, detector)
        self.layers, cells = of_layers.layers, of_layers.cells
        self.places = of_layers.slices
        self.energies = CouplingFlow(
            self.layers, conditions, config.energy_blocks, config.energy_widths, config
        )
        self.shapes = CouplingFlow(
            cells, conditions + self.layers, config.shape_blocks, config.shape_widths, config
        )
        self.emptiness = Emptiness(conditions, config.energy_widths)

    def fit(self, features: Tensor, conditions: Tensor) -> None:  # noqa: ARG002
        """Count the empty events; all other features are standardised."""
        self.emptiness.fit(self._empty(features))

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` events: one number for each feature."""
        return n, self.layers + self.shapes.features

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, layers + cells) for encoded conditions and noise."""
        full, first = self.emptiness(noise[:, self.places[RESPONSE]], conditions)
        first = torch.cat([first, noise[:, self.places[OTHERS]]], dim=1)
        energies = self.energies(first, conditions)
        cells = self.shapes(noise[:, self.places[CELLS]], self._context(conditions, energies))
        response = torch.where(full, energies[:, self.places[RESPONSE]], -torch.inf)
        return torch.cat([response, energies[:, self.places[OTHERS]], cells], dim=1)

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:  # noqa: ARG002
        """Return the negative log-likelihood of each stage, in nats for each of its features.

        Empty events have no part in either; that they are empty is the third.
        """
        empty = self._empty(features)
        emptiness = self.emptiness.loss(empty, conditions)
        features, conditions = features[~empty], conditions[~empty]
        energies, cells = (features[:, self.places[name]] for name in (ENERGIES, CELLS))
        of_energies = self.energies.log_likelihood(energies, conditions)
        of_cells = self.shapes.log_likelihood(cells, self._context(conditions, energies))
        events = max(len(features), 1)
        return {
            "energies": -of_energies.sum() / (events * self.layers),
            "shapes": -of_cells.sum() / (events * self.shapes.features),
            "emptiness": emptiness,
        }

    def _empty(self, features: Tensor) -> Tensor:
        """Return which events (n,) hold no energy."""
        return torch.isneginf(features[:, self.places[RESPONSE]]).squeeze(1)

    def _context(self, conditions: Tensor, energies: Tensor) -> Tensor:
        return torch.cat([conditions, energies.clamp(-self.bound, self.bound)], dim=1)

    @staticmethod
    def transform_for(config: CouplingFlowConfig, detector: Detector) -> Transform:
        """Return the preprocessing: u-variables of layers, cells as parts of their layer."""
        return NormalisedShowers(detector, config.zero_width)
