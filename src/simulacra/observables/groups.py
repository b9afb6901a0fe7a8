"""Cutting a sample by energy: every judgement is made point by point or bin by bin."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulacra.events import Array, energy_points
from simulacra.units import format_energy

BINS = 8
"""Logarithmic bins of a continuous spectrum."""


@dataclass(frozen=True, slots=True)
class EnergyGroup:
    """Events of one energy point, or from ``low`` up to but without ``high`` (MeV)."""

    label: str
    low: float
    high: float

    def select(self, energies: Array) -> NDArray[np.bool_]:
        """Return which of the energies (MeV) belong to the group."""
        return (energies >= self.low) & (energies < self.high)

    @property
    def centre(self) -> float:
        """Geometric centre in MeV."""
        return float(np.sqrt(self.low * self.high))


def energy_groups(energies: Array) -> tuple[EnergyGroup, ...]:
    """Return the energy points of a sample, or logarithmic bins where it is continuous."""
    points = energy_points(energies)
    if len(points):
        tolerance = 1e-4  # float32 columns: far below any spacing of points
        return tuple(
            EnergyGroup(format_energy(e), e * (1 - tolerance), e * (1 + tolerance))
            for e in points.astype(float)
        )
    edges = np.geomspace(energies.min(), np.nextafter(energies.max(), np.inf), BINS + 1)
    return tuple(
        EnergyGroup(f"{format_energy(low)} to {format_energy(high)}", low, high)
        for low, high in pairwise(edges)
    )
