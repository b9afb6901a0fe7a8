"""Cells as fractions of the incident energy."""

from __future__ import annotations

from typing import Self

from torch import Generator, Tensor, nn

from simulacra.detectors import Detector
from simulacra.transforms.base import Response


class FractionOfEnergy(nn.Module):
    """Cells as fractions of the incident energy: ATLAS's contract for DNNCaloGAN.

    Args:
        array: name of the response array, ``showers``.
        shape: its shape for one event.
        energy_column: which condition is the incident energy.
    """

    def __init__(self, array: str, shape: tuple[int, ...], energy_column: int) -> None:
        super().__init__()
        self.array = array
        self.shape = shape
        self.energy_column = energy_column

    @classmethod
    def of(cls, detector: Detector) -> Self:
        """Return the transform of a calorimeter's showers."""
        shape = detector.response_arrays["showers"].shape
        return cls("showers", shape, list(detector.conditions).index("energy"))

    def fit(self, response: Response, columns: Tensor) -> None:
        """Do nothing: the transform has no constants."""

    def forward(self, response: Response, columns: Tensor) -> Tensor:
        """Return cell energies over the incident energy, flat (n, cells)."""
        return response[self.array].flatten(1) / self._energy(columns)

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:  # noqa: ARG002
        """Return the features: zeros are zeros here."""
        return features

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return cell energies in MeV from fractions (n, cells)."""
        return {self.array: (features * self._energy(columns)).reshape(-1, *self.shape)}

    def _energy(self, columns: Tensor) -> Tensor:
        return columns[:, self.energy_column : self.energy_column + 1]
