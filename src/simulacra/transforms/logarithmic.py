"""Showers as logarithms of ratios, with -inf where there is nothing.

Of an event with incident energy E, layer energies E_l and cells e_i the features are

    log(ΣE_l / E)        the response
    log(E_l / E_r)       of every layer but the reference layer r, the one with the most energy
    log(e_i / E_l)       of every cell that is not alone in its layer

The way back closes by construction: the layers add up to the total, the cells to their layer. The
events are folded (:class:`simulacra.transforms.Reflections`) where the detector is symmetric.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.transforms.base import Response
from simulacra.transforms.layers import LayersOfCells
from simulacra.transforms.reflections import Reflections

LEAST_REFERENCE = 1e-6
"""Part of the total energy that the reference layer is taken to hold where it is empty."""


class LogarithmicShowers(nn.Module):
    """Response, ratios of layers and fractions of cells, as logarithms.

    Args:
        detector: a calorimeter; layers may have any number of cells.
    """

    reference: Tensor
    others: Tensor
    back: Tensor

    def __init__(self, detector: Calorimeter) -> None:
        super().__init__()
        self.of_layers = LayersOfCells(detector)
        self.reflections = Reflections(detector)
        self.energy_column = list(detector.conditions).index("energy")
        layers = self.of_layers.layers
        self.register_buffer("reference", torch.zeros(1, dtype=torch.int64))
        self.register_buffer("others", torch.arange(1, layers))
        self.register_buffer("back", torch.arange(layers))

    def fit(self, response: Response, columns: Tensor) -> None:  # noqa: ARG002
        """Choose the reference layer."""
        energies = self.of_layers.sums(response["showers"].double())
        reference = energies.sum(dim=0).argmax()
        layers = torch.arange(self.of_layers.layers)
        others = layers[layers != reference]
        self.reference.copy_(reference)
        self.others.copy_(others)
        self.back.copy_(torch.cat([reference[None], others]).argsort())

    def forward(self, response: Response, columns: Tensor) -> Tensor:
        """Return features (n, layers + cells) of showers in MeV."""
        cells = self.reflections.mirror(response["showers"].double(), columns)
        energies = self.of_layers.sums(cells)
        total = energies.sum(dim=1, keepdim=True)
        reference = energies[:, self.reference]
        reference = torch.maximum(reference, LEAST_REFERENCE * total).clamp_min(1e-300)
        of_cells = self.of_layers.spread(energies)[:, self.of_layers.shared]
        features = [
            (total / columns[:, self.energy_column, None]).log(),
            (energies[:, self.others] / reference).log(),
            (cells[:, self.of_layers.shared] / of_cells.clamp_min(1e-300)).log(),
        ]
        return torch.cat(features, dim=1).float()

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:  # noqa: ARG002
        """Return the features: emptiness is theirs to say."""
        return features

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return showers in MeV; in each layer at least one cell must not be -inf."""
        layers = self.of_layers.layers
        total = features[:, :1].exp() * columns[:, self.energy_column, None]
        ratios = torch.cat([torch.zeros_like(total), features[:, 1:layers]], dim=1)
        energies = total * ratios.softmax(dim=1)[:, self.back]
        cells = self.of_layers.normalised_exponentials(features[:, layers:])
        cells = cells * self.of_layers.spread(energies)
        return {"showers": self.reflections.mirror(cells, columns)}
