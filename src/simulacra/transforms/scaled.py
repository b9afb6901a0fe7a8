"""Cells and conditions in other units and no more: for systems that are fed physical numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Generator, Tensor, nn

from simulacra.detectors import Detector
from simulacra.transforms.base import Response, Slices, slices_of


class ScaledCells(nn.Module):
    """Cell energies in a unit, to a power.

    Args:
        array: name of the response array, ``showers``.
        shape: its shape for one event.
        unit: in MeV.
        power: of the energy in that unit; below 1, small cells weigh more.
        threshold: energies below it are set to zero, MeV.
    """

    def __init__(
        self,
        array: str,
        shape: tuple[int, ...],
        unit: float,
        power: float = 1.0,
        threshold: float = 0.0,
    ) -> None:
        super().__init__()
        self.array, self.shape = array, shape
        self.unit, self.power, self.threshold = unit, power, threshold

    @classmethod
    def of(
        cls, detector: Detector, unit: float, power: float = 1.0, threshold: float = 0.0
    ) -> Self:
        """Return the transform of a calorimeter's showers."""
        return cls("showers", detector.response_arrays["showers"].shape, unit, power, threshold)

    def fit(self, response: Response, columns: Tensor) -> None:
        """Do nothing: the transform has no constants."""

    def forward(self, response: Response, columns: Tensor) -> Tensor:  # noqa: ARG002
        """Return (E / unit)^power, flat (n, cells)."""
        cells = response[self.array].flatten(1)
        kept = torch.where(cells < self.threshold, 0.0, cells) / self.unit
        return kept if self.power == 1 else kept**self.power

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:  # noqa: ARG002
        """Return the features: zeros are zeros here."""
        return features

    def inverse(self, features: Tensor, columns: Tensor) -> Response:  # noqa: ARG002
        """Return cell energies in MeV from what :meth:`forward` makes of them (n, cells)."""
        cells = features if self.power == 1 else features ** (1 / self.power)
        return {self.array: (cells * self.unit).reshape(-1, *self.shape)}


class ScaledConditions(nn.Module):
    """Some of the conditions, each in a unit, and nothing fitted.

    Args:
        names: all conditions of the detector, in order.
        units: those that a model sees, and in what units, in the detector's own.
    """

    def __init__(self, names: Sequence[str], units: Mapping[str, float]) -> None:
        super().__init__()
        self._names = tuple(names)
        self.units = dict(units)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which :meth:`forward` takes them."""
        return self._names

    @property
    def features(self) -> int:
        """Number of features that :meth:`forward` returns."""
        return len(self.units)

    @property
    def slices(self) -> Slices:
        """Where the features of each condition stand."""
        return slices_of((name, 1) for name in self.units)

    def fit(self, columns: Tensor) -> None:
        """Do nothing: there is nothing to fit."""

    def forward(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""
        parts = []
        for name, unit in self.units.items():
            place = self._names.index(name)
            parts.append(columns[:, place : place + 1] / unit)
        return torch.cat(parts, dim=1)
