"""How far a particle's line is from the sides of a stack, layer by layer.

A shower near a side of a stack of finite size leaks through it. How much depends on where its axis
lies at each depth, which follows from impact, direction and geometry: a network that is given it
need not learn trigonometry from showers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.stack import Tube
from simulacra.transforms.calorimeter.line import Line

WIDTHS = (4.0, 20.0, 100.0)
"""Lateral sizes of showers in mm: the core of an electromagnetic one in a dense calorimeter, its
halo, and a hadronic one."""
SHALLOWEST = 1e-3
"""Part of the stack's depth below which it does not matter how soon a line leaves."""
LEAST = 1e-3
"""Part of a profile below which it does not matter how little it is."""
FLATTEST = 1e-9
"""Slope below which a line is taken to be parallel to the sides."""


class Sides(nn.Module):
    """Features of where the particle's line lies between the sides of the stack.

    They are, in this order: the slopes dx/dz and dy/dz of the line; the depth at which it leaves
    through a side, as a part of the stack's depth and at most 1, and its logarithm (a particle that
    leaves after millimetres differs from one that leaves after centimetres); and for each of
    :data:`WIDTHS`, at the front and in each layer, the logarithm of the part of a profile of that
    width around the line that lies within the sides. The profile is logistic along each axis of a
    box, and along the radius of a tube: a half on a side, one far within. Energies are learned as
    logarithms, and outside they fall as the profile does.

    Args:
        detector: a calorimeter for which :func:`has_sides` holds.
    """

    def __init__(self, detector: Calorimeter) -> None:
        super().__init__()
        self.line = Line(detector)
        self.depth = detector.depth
        self.volume = detector.volume
        self.features = 4 + len(WIDTHS) * (1 + len(detector.layers))

    def forward(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""
        slopes = [self.line.slope(columns, axis) for axis in range(2)]
        entries = [self.line.entry(columns, axis) for axis in range(2)]
        leaves = (self._exit(entries, slopes) / self.depth).clamp(0.0, 1.0)
        parts = [*slopes, leaves, leaves.clamp_min(SHALLOWEST).log()]
        depths = functional.pad(self.line.depths, (1, 0))  # with the front
        x, y = (e + s * depths for e, s in zip(entries, slopes, strict=True))
        return torch.cat([*parts, *(self._contained(x, y, width) for width in WIDTHS)], dim=1)

    def _contained(self, x: Tensor, y: Tensor, width: float) -> Tensor:
        """Return the logarithm of the part of a profile around points (n, layers) in the sides."""
        if isinstance(self.volume, Tube):
            part = _within((x.square() + y.square()).sqrt(), self.volume.radius, width)
        else:
            half_x, half_y = (size / 2 for size in self.volume.width)
            part = _within(x, half_x, width) * _within(y, half_y, width)
        return part.clamp_min(LEAST).log()

    def _exit(self, entries: list[Tensor], slopes: list[Tensor]) -> Tensor:
        """Return the depth (n, 1) in mm at which lines leave through a side; large where never."""
        if not isinstance(self.volume, Tube):
            depths = [
                (size / 2 - slope.sign() * entry) / slope.abs().clamp_min(FLATTEST)
                for entry, slope, size in zip(entries, slopes, self.volume.width, strict=True)
            ]
            return torch.minimum(*depths)
        square = (slopes[0].square() + slopes[1].square()).clamp_min(FLATTEST**2)
        outwards = entries[0] * slopes[0] + entries[1] * slopes[1]
        room = self.volume.radius**2 - entries[0].square() - entries[1].square()
        root = (outwards.square() + square * room.clamp_min(0.0)).sqrt()
        return (root - outwards) / square


def _within(distance: Tensor, half: float, width: float) -> Tensor:
    """Return the part between -half and half of a logistic distribution around a distance."""
    return ((half - distance) / width).sigmoid() + ((half + distance) / width).sigmoid() - 1


def has_sides(detector: Calorimeter) -> bool:
    """Return whether cells stand still and conditions tell events' lines in the stack apart."""
    varied = {"theta", "phi", *(f"impact_{axis}" for axis in detector.axes)}
    return detector.stands_still and bool(varied & set(detector.conditions))
