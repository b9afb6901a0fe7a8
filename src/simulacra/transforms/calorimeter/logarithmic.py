"""Showers as logarithms, with -inf where there is nothing.

Of an event with incident energy E, layer energies E_l and cells e_i the features are

    log(ΣE_l / E)        the response
    of every layer but the reference layer r, the one with the most energy:
      log(E_l / E_r)     where layers hold a good part of the energy,
      s(log E_l)         of those that together hold little
    log(e_i / E_l)       of every cell that is not alone in its layer

What a thin layer sees are single particles, whose energy loss has sharp features at fixed energies
in MeV; s is the training sample's map to normal scores, which flattens them.

The way back closes by construction: the layers add up to the total, the cells to their layer. The
events are folded (:class:`simulacra.transforms.Reflections`) where the detector is symmetric; those
around which it is the same from all sides, training sees turned
(:class:`simulacra.transforms.Turns`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.transforms.base import Response
from simulacra.transforms.calorimeter.layers import LayersOfCells
from simulacra.transforms.calorimeter.reflections import Reflections
from simulacra.transforms.calorimeter.turns import Turns
from simulacra.transforms.quantiles import piecewise_linear, quantile_knots

LEAST_REFERENCE = 1e-6
"""Part of the total energy that the reference layer is taken to hold where it is empty."""
LITTLE = 0.1
"""Part of the energy that the layers which are taken by themselves hold together, on average."""
MOST = 0.999
"""Part of the energy of one event that they can hold."""
KNOTS = 64
FEWEST = 20 * KNOTS
"""Events with energy in a layer, below which its quantiles are not known."""


class LogarithmicShowers(nn.Module):
    """Response, layers and fractions of cells, as logarithms.

    Args:
        detector: a calorimeter; layers may have any number of cells.
        symmetries: mirrors and turns to use; None: those of simulators that do not say it.

    Attributes:
        energies: number of features before those of the cells.
        single: which layers, of those that have a feature, are taken by themselves.
        knots, scores: their quantiles (layers, k); identities for all others.
    """

    reference: Tensor
    others: Tensor
    back: Tensor
    single: Tensor
    knots: Tensor
    scores: Tensor

    def __init__(self, detector: Calorimeter, symmetries: Sequence[str] | None = None) -> None:
        super().__init__()
        self.of_layers = LayersOfCells(detector)
        self.energies = self.of_layers.layers
        self.reflections = Reflections(detector, symmetries)
        self.turns = Turns(detector, symmetries)
        self.energy_column = list(detector.conditions).index("energy")
        layers = self.of_layers.layers
        identity = torch.linspace(-1, 1, KNOTS).expand(layers - 1, -1)
        self.register_buffer("reference", torch.zeros(1, dtype=torch.int64))
        self.register_buffer("others", torch.arange(1, layers))
        self.register_buffer("back", torch.arange(layers))
        self.register_buffer("single", torch.zeros(layers - 1, dtype=torch.bool))
        self.register_buffer("knots", identity.clone())
        self.register_buffer("scores", identity.clone())

    def fit(self, response: Response, columns: Tensor) -> None:
        """Choose the reference layer and the layers taken by themselves; set their quantiles."""
        energies = self.of_layers.sums(response["showers"].double())
        parts = (energies / columns[:, self.energy_column, None]).mean(dim=0)
        parts = parts / parts.sum().clamp_min(1e-300)
        reference = parts.argmax()
        layers = torch.arange(self.of_layers.layers)
        others = layers[layers != reference]
        self.reference.copy_(reference)
        self.others.copy_(others)
        self.back.copy_(torch.cat([reference[None], others]).argsort())
        self._flatten_little(energies[:, others], parts[others])

    def _flatten_little(self, energies: Tensor, parts: Tensor) -> None:
        """Find the layers that together hold little; set their quantiles.

        Args:
            energies: of the layers that have a feature (n, layers), MeV.
            parts: what they hold of the energy, on average (layers,).
        """
        ascending, order = parts.sort()
        little = torch.empty_like(order, dtype=torch.bool)
        little[order] = ascending.cumsum(0) < LITTLE
        for slot in range(len(parts)):
            full = energies[:, slot] > 0
            enough = int(full.sum()) >= FEWEST
            self.single[slot] = bool(little[slot]) and enough
            if self.single[slot]:
                knots, scores = quantile_knots(energies[full, slot].log(), KNOTS)
                self.knots[slot], self.scores[slot] = knots, scores

    def forward(self, response: Response, columns: Tensor) -> Tensor:
        """Return features (n, layers + cells) of showers in MeV."""
        cells = self.reflections.mirror(response["showers"].double(), columns)
        energies = self.of_layers.sums(cells)
        of_cells = self.of_layers.spread(energies)[:, self.of_layers.shared]
        features = [
            (energies.sum(dim=1, keepdim=True) / columns[:, self.energy_column, None]).log(),
            self._flat(self._divided(energies, columns[:, self.energy_column, None])),
            (cells[:, self.of_layers.shared] / of_cells.clamp_min(1e-300)).log(),
        ]
        return torch.cat(features, dim=1).float()

    def _divided(self, energies: Tensor, incident: Tensor) -> Tensor:  # noqa: ARG002
        """Return how layers divide their energies: logarithms, -inf where a layer is empty.

        Args:
            energies: of all layers (n, layers), MeV.
            incident: energy of the particle (n, 1), MeV.
        """
        total = energies.sum(dim=1, keepdim=True)
        reference = energies[:, self.reference]
        reference = torch.maximum(reference, LEAST_REFERENCE * total).clamp_min(1e-300)
        return (energies[:, self.others] / torch.where(self.single, 1.0, reference)).log()

    def _flat(self, logarithms: Tensor) -> Tensor:
        """Return the features of logarithms (n, layers): of little layers, their normal scores."""
        found = piecewise_linear(
            torch.where(logarithms > -torch.inf, logarithms, 0.0),
            self.knots.double(),
            self.scores.double(),
        )
        return torch.where(logarithms > -torch.inf, found, -torch.inf)

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:
        """Return the features of events turned about the beam; emptiness is theirs to say."""
        energies, cells = features.tensor_split([self.energies], dim=1)
        return torch.cat([energies, self.turns.turn(cells, rng)], dim=1)

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return showers in MeV; in each layer at least one cell must not be -inf."""
        energies = self.layer_energies(features, columns)
        cells = self.of_layers.normalised_exponentials(features[:, self.energies :])
        cells = cells * self.of_layers.spread(energies)
        return {"showers": self.reflections.mirror(cells, columns)}

    def layer_energies(self, features: Tensor, columns: Tensor) -> Tensor:
        """Return the energy of each layer (n, layers) in MeV; only the first features matter."""
        total = features[:, :1].exp() * columns[:, self.energy_column, None]
        features = features[:, 1 : self.of_layers.layers]
        full = features > -torch.inf
        others = piecewise_linear(torch.where(full, features, 0.0), self.scores, self.knots)
        single = torch.where(full & self.single, others.exp(), 0.0)
        seen = single.sum(dim=1, keepdim=True)
        # no training event needs this: it keeps an energy from being negative, whatever the noise
        single = single * (MOST * total / seen.clamp_min(1e-30)).clamp_max(1.0)
        rest = total - single.sum(dim=1, keepdim=True)
        ratios = torch.where(full & ~self.single, others, -torch.inf)
        parts = torch.cat([torch.zeros_like(total), ratios], dim=1).softmax(dim=1)
        energies = rest * parts + torch.cat([torch.zeros_like(total), single], dim=1)
        return energies[:, self.back]
