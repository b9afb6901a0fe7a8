"""The straight line on which a particle would go on: where it crosses each depth of a stack."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.beam import limits
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation


class Line(nn.Module):
    """Takes conditions to places along the particle's line.

    Args:
        detector: a calorimeter.
    """

    depths: Tensor
    rows: Tensor

    def __init__(self, detector: Calorimeter) -> None:
        super().__init__()
        names, beam, layers = list(detector.conditions), detector.beam, detector.layers
        given = (("theta", beam.theta), ("phi", beam.phi))
        self.columns = [names.index(name) if name in names else -1 for name, _ in given]
        self.fixed = [limits(law)[0] for _, law in given]
        declared = declared_axes(detector, ())
        self.impacts = [
            names.index(f"impact_{name}") if axis in declared else -1
            for axis, name in enumerate(detector.axes)
        ]
        self.start = [
            0.0 if axis in declared else limits(law)[0] for axis, law in enumerate((beam.x, beam.y))
        ]
        cartesian = [isinstance(la.segmentation, CartesianSegmentation) for la in layers]
        depths = torch.tensor([layer.depth for layer in layers])
        self.register_buffer("depths", depths.float(), persistent=False)
        self.register_buffer("rows", torch.tensor(cartesian).float(), persistent=False)

    def forward(self, positions: Tensor, columns: Tensor, axis: int) -> Tensor:
        """Return positions relative to the line, for those relative to the impact.

        Args:
            positions: of the layers (n, layers) along the axis, mm.
            columns: conditions (n, columns).
            axis: 0 for x, 1 for y.

        Returns:
            Positions (n, layers) in mm; zero for rings.
        """
        slope = self.slope(columns, axis)
        return (positions - self.start[axis] - slope * self.depths) * self.rows

    def slope(self, columns: Tensor, axis: int) -> Tensor:
        """Return dx/dz, or dy/dz, of the line (n, 1)."""
        theta, phi = (
            columns[:, column : column + 1] if column >= 0 else torch.full_like(columns[:, :1], f)
            for column, f in zip(self.columns, self.fixed, strict=True)
        )
        return theta.tan() * (phi.cos() if axis == 0 else phi.sin())

    def entry(self, columns: Tensor, axis: int) -> Tensor:
        """Return where the line crosses the front face of cells that stand still (n, 1), mm."""
        impact = self.impacts[axis]
        if impact >= 0:
            return columns[:, impact : impact + 1]
        return torch.full_like(columns[:, :1], self.start[axis])


def declared_axes(detector: Calorimeter, symmetries: Sequence[str] | None) -> tuple[int, ...]:
    """Return the axes, 0 or 1, along which a network is told the impact."""
    if symmetries is None and detector.reference is None:
        return ()
    return tuple(a for a, name in enumerate(detector.axes) if name in detector.declared_axes)
