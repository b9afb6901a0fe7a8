"""Showers as logarithms, each layer as a part of the incident energy.

Ratios to one layer (:mod:`simulacra.transforms.calorimeter.logarithmic`) fall into two bumps far
apart where that layer is empty in some events: near a side through which the particle leaves at
once, or where it showers late. Here no layer stands for the others. Of an event with incident
energy E and layer energies E_l the first features are

    log(ΣE_l / E)        the response
    log(E_l / E)         of every layer that holds a good part of the energy,
    s(log E_l)           of those that together hold little

They are one more than there are energies: on the way back the layers divide the total in the
proportion of their values, so that the energies add up to it by construction.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulacra.detectors import Calorimeter
from simulacra.transforms.base import Response
from simulacra.transforms.calorimeter.logarithmic import KNOTS, MOST, LogarithmicShowers
from simulacra.transforms.quantiles import piecewise_linear


class PartsOfEnergy(LogarithmicShowers):
    """Response, layers and fractions of cells, as logarithms; no layer is a reference.

    Args:
        detector: a calorimeter; layers may have any number of cells.
        symmetries: mirrors and turns to use; None: those of simulators that do not say it.
    """

    def __init__(self, detector: Calorimeter, symmetries: Sequence[str] | None = None) -> None:
        super().__init__(detector, symmetries)
        layers = self.of_layers.layers
        self.energies = 1 + layers
        self.single = torch.zeros(layers, dtype=torch.bool)
        self.knots, self.scores = (
            torch.linspace(-1, 1, KNOTS).expand(layers, -1).clone() for _ in range(2)
        )

    def fit(self, response: Response, columns: Tensor) -> None:
        """Choose the layers taken by themselves; set their quantiles."""
        energies = self.of_layers.sums(response["showers"].double())
        parts = (energies / columns[:, self.energy_column, None]).mean(dim=0)
        self._flatten_little(energies, parts / parts.sum().clamp_min(1e-300))

    def _divided(self, energies: Tensor, incident: Tensor) -> Tensor:
        return (energies / torch.where(self.single, 1.0, incident)).log()

    def layer_energies(self, features: Tensor, columns: Tensor) -> Tensor:
        """Return the energy of each layer (n, layers) in MeV; only the first features matter."""
        total = features[:, :1].exp() * columns[:, self.energy_column, None]
        features = features[:, 1 : self.energies]
        full = features > -torch.inf
        found = piecewise_linear(torch.where(full, features, 0.0), self.scores, self.knots)
        single = torch.where(full & self.single, found.exp(), 0.0)
        seen = single.sum(dim=1, keepdim=True)
        # where there is nothing else, they hold all; where there is nothing at all, the others do
        others = (full & ~self.single).any(dim=1, keepdim=True) | (seen == 0)
        factor = total / seen.clamp_min(1e-30)
        single = single * torch.where(others, (MOST * factor).clamp_max(1.0), factor)
        rest = torch.where(others, total - single.sum(dim=1, keepdim=True), 0.0)
        values = torch.where(full & ~self.single, found, -torch.inf)
        some = (values > -torch.inf).any(dim=1, keepdim=True)
        return rest * torch.where(some, values, 0.0).softmax(dim=1) + single
