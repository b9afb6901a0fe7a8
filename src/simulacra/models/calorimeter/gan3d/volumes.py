"""Chains of three-dimensional convolutions, as data: what the 3D GANs are made of.

A stage enlarges, pads, convolves, activates and normalises; a network is a list of stages, so that
other cubes of cells need other numbers and no other code. Axes are (x, y, depth), those of a flat
response (depth, x, y): layer after layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.models.blocks.networks import (
    KERAS_EPSILON,
    KERAS_MOMENTUM,
    KERAS_SLOPE,
    Start,
    ZeroPadding,
    he_uniform,
    leaky,
    same_padding,
    started,
)
from simulacra.models.requirements import images_for

Size = tuple[int, int, int]


class Stage(Frozen):
    """One convolution with what comes before and after it.

    Attributes:
        channels: that it makes.
        kernel: along each axis.
        enlarged: how often each cell is repeated along each axis before.
        padding: zeros on both sides of each axis, or ``same`` to keep the size.
        normalised: batch norm after the activation.
    """

    channels: int = Field(ge=1)
    kernel: Size
    enlarged: Size = (1, 1, 1)
    padding: Size | Literal["same"] = (0, 0, 0)
    normalised: bool = True

    def size(self, before: Size) -> Size:
        """Return the size of the volume that this stage makes of another."""
        larger = [cells * times for cells, times in zip(before, self.enlarged, strict=True)]
        if self.padding != "same":
            added = zip(larger, self.padding, self.kernel, strict=True)
            larger = [cells + 2 * zeros - length + 1 for cells, zeros, length in added]
        return larger[0], larger[1], larger[2]

    def convolution(self, inputs: int, start: Start, *, bias: bool = True) -> list[nn.Module]:
        """Return the layers up to the convolution."""
        layers: list[nn.Module] = []
        if self.enlarged != (1, 1, 1):
            layers.append(nn.Upsample(scale_factor=tuple(float(n) for n in self.enlarged)))
        if self.padding == "same":
            layers.append(same_padding(self.kernel))
        elif self.padding != (0, 0, 0):
            layers.append(ZeroPadding([n for n in reversed(self.padding) for _ in range(2)]))
        convolution = started(nn.Conv3d(inputs, self.channels, self.kernel, bias=bias), start)
        # a CPU's convolutions follow the layout of their weights; this one is faster backwards
        weight = convolution.weight.detach().contiguous(memory_format=torch.channels_last_3d)
        convolution.weight = nn.Parameter(weight)
        return [*layers, convolution]

    def norm(self, epsilon: float) -> list[nn.Module]:
        """Return batch norm, if there is any."""
        norm = nn.BatchNorm3d(self.channels, eps=epsilon, momentum=KERAS_MOMENTUM)
        return [norm] if self.normalised else []


def sizes(start: Size, stages: Iterable[Stage]) -> list[Size]:
    """Return the size of the volume at the start and after each stage."""
    found = [start]
    for stage in stages:
        found.append(stage.size(found[-1]))
    return found


def require_cube(model: str, detector: Detector, start: Size, stages: Sequence[Stage]) -> Size:
    """Return the cells of a stack of equal layers along (x, y, depth), which the stages must make.

    Raises:
        CardError: the detector is no such stack, or the stages make a volume of another size; the
            message names the model.
    """
    images = images_for(model, detector)
    if len(set(images)) != 1:
        msg = f"model {model} needs layers that are all alike, those of {detector.name} are not"
        raise CardError(msg)
    cube = (*images[0], len(images))
    trace = sizes(start, stages)
    if trace[-1] != cube or stages[-1].channels != 1:
        shown = " -> ".join("x".join(map(str, size)) for size in trace)
        msg = (
            f"model {model}: the stages of its generator make {stages[-1].channels} of {shown}, "
            f"{detector.name} has {'x'.join(map(str, cube))} cells"
        )
        raise CardError(msg)
    return cube


class VolumeGenerator(nn.Module):
    """A latent vector to the cells of a volume, none negative.

    Args:
        latent: size of the vector.
        channels: of the volume that the dense layer makes.
        start: its size.
        stages: the convolutions; the last makes one channel, without bias, cut off at zero.
        activation: after each of the others.
        epsilon: of batch norm.
    """

    def __init__(
        self,
        latent: int,
        channels: int,
        start: Size,
        stages: Sequence[Stage],
        activation: Callable[[], nn.Module],
        epsilon: float = KERAS_EPSILON,
    ) -> None:
        super().__init__()
        *hidden, last = stages
        layers: list[nn.Module] = [
            started(nn.Linear(latent, channels * math.prod(start))),
            nn.Unflatten(1, (channels, *start)),
        ]
        for stage in hidden:
            layers += [*stage.convolution(channels, he_uniform), activation()]
            layers += stage.norm(epsilon)
            channels = stage.channels
        layers += last.convolution(channels, nn.init.xavier_normal_, bias=False)
        self.layers = nn.Sequential(*layers, nn.ReLU())

    @torch.no_grad()
    def multiply(self, factor: float) -> None:
        """Make all cells so many times as large as they are."""
        last = self.layers[-2]  # before the ReLU, and without a bias
        assert isinstance(last, nn.Conv3d)
        last.weight.mul_(factor)

    def forward(self, latent: Tensor) -> Tensor:
        """Return cells (n, cells), layer after layer, of vectors (n, latent)."""
        volumes = self.layers(latent).squeeze(1)
        cells: Tensor = volumes.permute(0, 3, 1, 2).flatten(1)
        return cells


class VolumeDiscriminator(nn.Module):
    """Cells to a logit and to the energy of the particle: two dense units on the same features.

    Args:
        cube: cells along (x, y, depth).
        stages: the convolutions; after them, every 2 x 2 x 2 features are averaged.
        dropout: after each stage.
        epsilon: of batch norm.
    """

    def __init__(
        self, cube: Size, stages: Sequence[Stage], dropout: float, epsilon: float = KERAS_EPSILON
    ) -> None:
        super().__init__()
        self.cube = cube
        layers: list[nn.Module] = []
        channels = 1
        for stage in stages:
            layers += [
                *stage.convolution(channels, nn.init.xavier_uniform_),
                leaky(slope=KERAS_SLOPE),
            ]
            layers += [*stage.norm(epsilon), nn.Dropout(dropout)]
            channels = stage.channels
        self.layers = nn.Sequential(*layers, nn.AvgPool3d(2), nn.Flatten())
        features = channels * math.prod(n // 2 for n in sizes(cube, stages)[-1])
        self.logit = started(nn.Linear(features, 1))
        self.energy = started(nn.Linear(features, 1))

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and energies (n, 1), in the model's unit, of cells (n, cells)."""
        x, y, depth = self.cube
        volumes = cells.view(-1, 1, depth, x, y).permute(0, 1, 3, 4, 2)
        features = self.layers(volumes)
        # losses are computed in single precision, whatever the convolutions were
        return self.logit(features).float(), self.energy(features).float()
