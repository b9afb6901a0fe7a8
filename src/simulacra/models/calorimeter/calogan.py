"""CaloGAN: locally connected towers, one for each layer of a calorimeter, joined by attention.

The generator paints the layers one after another; how much of the layer before shows through is
learned at every cell ("in-painting"). A ReLU at the end leaves most cells exactly empty. The energy
enters by the latent vector's length, and by a term for the total.

References:
    Paganini, de Oliveira, Nachman: CaloGAN, arXiv:1705.02355 and arXiv:1712.10321, and the code
    published with them. Weights that no start is stated for begin as Glorot's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool1d

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.gan import GAN
from simulacra.models.blocks.locally_connected import LocallyConnected
from simulacra.models.blocks.minibatch import MinibatchDiscrimination
from simulacra.models.blocks.minimax import MinimaxCritic
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
from simulacra.models.requirements import images_for
from simulacra.models.system import Recommended, System
from simulacra.transforms import Encoder, ScaledCells, ScaledConditions, Transform
from simulacra.units import GEV

Image = tuple[int, int]
batch_norm = partial(nn.BatchNorm2d, eps=KERAS_EPSILON, momentum=KERAS_MOMENTUM)
TRANSFER_OFF = -10.0
"""Where the attention to the layer before begins, as a logit: it shows nowhere."""


class CaloGANConfig(Frozen):
    """The options of the model; defaults are the published ones.

    Attributes:
        latent: size of the Gaussian noise.
        energy_unit: GeV; the noise is multiplied by E / energy_unit.
        dense_channels: of the image that a tower's dense layer makes.
        generator_channels: after the tower's convolution and its first locally connected layer.
        critic_channels: after the discriminator's convolution and its three locally connected
            layers.
        minibatch: features and dimensions of each minibatch discrimination.
        energy_weight: of |E_tot - E|, GeV, in the generator's loss.
        energy_tolerance: GeV; the discriminator is told whether |E_tot - E| is larger.
    """

    kind: Literal["calogan"] = "calogan"
    latent: int = Field(default=1024, ge=1)
    energy_unit: float = Field(default=100.0, gt=0)
    dense_channels: int = Field(default=36, ge=1)
    generator_channels: tuple[int, int] = (16, 6)
    critic_channels: tuple[int, int, int, int] = (64, 16, 8, 8)
    minibatch: tuple[int, int] = (10, 10)
    energy_weight: float = Field(default=0.05, ge=0)
    energy_tolerance: float = Field(default=5.0, gt=0)


class Tower(nn.Module):
    """A latent vector to the image of one layer, not yet cut off at zero."""

    def __init__(self, config: CaloGANConfig, image: Image) -> None:
        super().__init__()
        channels, (convolved, connected) = config.dense_channels, config.generator_channels
        larger = image[0] + 2, image[1] + 2
        dense = nn.Linear(config.latent, channels * math.prod(larger))
        first = LocallyConnected(convolved, connected, larger, (2, 2), start=he_uniform)
        last = LocallyConnected(
            connected, 1, first.size, (2, 2), bias=False, start=nn.init.xavier_normal_
        )
        self.layers = nn.Sequential(
            started(dense),
            nn.Unflatten(1, (channels, *larger)),
            same_padding((2, 2)),
            started(nn.Conv2d(channels, convolved, (2, 2)), he_uniform),
            leaky(slope=KERAS_SLOPE),
            batch_norm(convolved),
            first,
            leaky(slope=KERAS_SLOPE),
            last,
        )

    def forward(self, latent: Tensor) -> Tensor:
        """Return images (n, 1, rows, columns)."""
        image: Tensor = self.layers(latent)
        return image


class Averaged(nn.Module):
    """Images of one size as images of another: means where cells are larger, copies where smaller.

    The published AvgPool(1, 8) after UpSample(4, 1) and AvgPool(1, 2) are the cases of CaloGAN's
    layers; where sizes have no whole ratio, windows overlap as in adaptive pooling.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, source: Image, target: Image) -> None:
        super().__init__()
        rows, columns = (
            adaptive_avg_pool1d(torch.eye(n), m) for n, m in zip(source, target, strict=True)
        )
        self.register_buffer("rows", rows.T.contiguous(), persistent=False)
        self.register_buffer("columns", columns, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return images (n, 1, rows, columns) of the target's size."""
        return self.rows @ images @ self.columns


class InPainting(nn.Module):
    """A layer's image where it, or the image carried over from the layer before, shows.

    Which of the two shows is a softmax at every cell, from 3 x 3 cells of both.
    """

    def __init__(self, source: Image, target: Image) -> None:
        super().__init__()
        self.carry = Averaged(source, target)
        self.pad = ZeroPadding((1, 1, 1, 1))
        self.attention = LocallyConnected(2, 2, (target[0] + 2, target[1] + 2), (3, 3))
        assert self.attention.bias is not None
        with torch.no_grad():
            self.attention.bias[..., 1] = TRANSFER_OFF

    def forward(self, primary: Tensor, before: Tensor) -> Tensor:
        """Return images (n, 1, rows, columns) of the layer's tower and of the layer before."""
        both = torch.cat([primary, self.carry(before)], dim=1)
        shown = self.attention(self.pad(both)).softmax(dim=1)
        mixed: Tensor = (shown * both).sum(dim=1, keepdim=True)
        return mixed


class Generator(nn.Module):
    """Noise and E / energy_unit to the cells of all layers, GeV."""

    def __init__(self, config: CaloGANConfig, images: Sequence[Image]) -> None:
        super().__init__()
        self.towers = nn.ModuleList(Tower(config, image) for image in images)
        self.transfers = nn.ModuleList(InPainting(a, b) for a, b in pairwise(images))

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return cells (n, cells), none negative."""
        latent = noise * conditions
        images = [tower(latent) for tower in self.towers]
        for place, transfer in enumerate(self.transfers, start=1):
            images[place] = transfer(images[place], images[place - 1])
        return torch.cat([image.flatten(1) for image in images], dim=1).relu()


class LayerFeatures(nn.Module):
    """What the discriminator sees in one layer.

    Attributes:
        outputs: how many numbers.
    """

    def __init__(self, config: CaloGANConfig, image: Image) -> None:
        super().__init__()
        first, *channels = config.critic_channels
        layers: list[nn.Module] = [
            same_padding((2, 2)),
            started(nn.Conv2d(1, first, (2, 2))),
            leaky(slope=KERAS_SLOPE),
        ]
        size, inputs = image, first
        shapes = (((3, 3), (1, 2)), ((2, 2), (1, 1)), ((2, 2), (1, 2)))
        for outputs, (kernel, stride) in zip(channels, shapes, strict=True):
            padded = size[0] + 2, size[1] + 2
            connected = LocallyConnected(inputs, outputs, padded, kernel, stride)
            norm = batch_norm(outputs)
            layers += [ZeroPadding((1, 1, 1, 1)), connected, leaky(slope=KERAS_SLOPE), norm]
            size, inputs = connected.size, outputs
        self.image = image
        self.layers = nn.Sequential(*layers, nn.Flatten())
        numbers = inputs * math.prod(size)
        self.alike = MinibatchDiscrimination(numbers, *config.minibatch)
        self.alike_in_sparsity = MinibatchDiscrimination(1, *config.minibatch)
        self.outputs = numbers + 2 * config.minibatch[0] + 1

    def forward(self, cells: Tensor) -> Tensor:
        """Return numbers (n, outputs) of a layer's cells (n, cells), GeV.

        The part of cells with energy is counted: no gradient passes through it, as in the original.
        """
        features = self.layers(cells.view(-1, 1, *self.image))
        sparsity = (cells > 0).to(cells.dtype).mean(dim=1, keepdim=True)
        alike = self.alike(features).tanh(), self.alike_in_sparsity(sparsity).tanh()
        return torch.cat([features, *alike, sparsity], dim=1)


class Discriminator(nn.Module):
    """Cells of all layers and the requested energy to one logit."""

    def __init__(self, config: CaloGANConfig, images: Sequence[Image]) -> None:
        super().__init__()
        self.config = config
        self.sizes = [math.prod(image) for image in images]
        layers = [LayerFeatures(config, image) for image in images]
        self.layers = nn.ModuleList(layers)
        self.alike_in_energy = MinibatchDiscrimination(len(images), *config.minibatch)
        inputs = sum(layer.outputs for layer in layers)
        self.logit = started(nn.Linear(inputs + len(images) + 3 + config.minibatch[0], 1))

    def forward(self, cells: Tensor, conditions: Tensor) -> Tensor:
        """Return logits (n, 1) of cells (n, cells), GeV, and E / energy_unit (n, 1)."""
        parts = torch.split(cells, self.sizes, dim=1)
        features = [layer(part) for layer, part in zip(self.layers, parts, strict=True)]
        logit: Tensor = self.logit(torch.cat([*features, *self._energies(parts, conditions)], 1))
        return logit.float()  # losses are in single precision, whatever the layers were

    def _energies(self, parts: Sequence[Tensor], conditions: Tensor) -> tuple[Tensor, ...]:
        """Return energies of the layers and in total, and how far off the total is."""
        config = self.config
        layers = torch.cat([part.sum(dim=1, keepdim=True) for part in parts], dim=1) / 10
        total = 10 * layers.sum(dim=1, keepdim=True)
        off = (total - conditions * config.energy_unit).abs()
        far_off = 10 * (off > config.energy_tolerance).to(off.dtype)
        return layers, total / 100, off, far_off, self.alike_in_energy(layers).tanh()


class Critics(MinimaxCritic):
    """The discriminator, and the term by which the generator learns the total energy."""

    def __init__(self, config: CaloGANConfig, images: Sequence[Image]) -> None:
        super().__init__(Discriminator(config, images))
        self.config = config

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises."""
        requested = conditions * self.config.energy_unit
        off = (fake.sum(dim=1, keepdim=True) - requested).abs().mean()
        return super().judge(fake, conditions) | {"energy": self.config.energy_weight * off}


class CaloGAN(GAN[Generator, Critics], System):
    """Generator and discriminator; :mod:`simulacra.training.adversarial` trains them."""

    Config = CaloGANConfig
    serves = "calorimeter"
    loop = "adversarial"
    summary = "vanilla GAN of locally connected layers, in-painting from layer to layer"
    reference = "CaloGAN, arXiv:1705.02355 and arXiv:1712.10321"
    default_detector = "calogan"
    sees = ("energy",)
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 1800,
            "batch_size": 64,
            "critic_updates": 1,
            "generator_updates": 2,
            "optimiser": {"kind": "adam"},
            "learning_rate": 5e-4,
            "critic_learning_rate": 5e-5,
            "averaging": 0.99,
        },
        "selection": {
            "every": 100,
            "after": 0.9,
            "repeat": 1,
            "groups": ["layer_energy", "fraction", "width", "hottest_cells_ratio", "sparsity"],
        },
    }
    """As in benchmarks/systems/calogan.yaml."""

    def __init__(self, config: CaloGANConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        images = images_for(config.kind, detector)
        super().__init__(Generator(config, images), Critics(config, images), config.latent)

    @staticmethod
    def transform_for(config: CaloGANConfig, detector: Detector) -> Transform:  # noqa: ARG004
        """Return the preprocessing: cells in GeV."""
        return ScaledCells.of(detector, GEV)

    @staticmethod
    def encoder_for(config: CaloGANConfig, detector: Detector) -> Encoder:
        """Return what the networks see of the conditions: the energy alone, over energy_unit."""
        return ScaledConditions(list(detector.conditions), {"energy": config.energy_unit * GEV})
