"""The events that a validation compares: those of the energies that both samples have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Detector
from simulacra.energies import EnergyGroup
from simulacra.validation.metrics.strata import Strata
from simulacra.validation.sample import Sample


@dataclass(frozen=True, slots=True)
class Compared:
    """Two measured samples and the energies that they have in common.

    Attributes:
        groups: these energies.
        full, fast: reference and generated events of these energies.
        strata: which events have equal conditions, where the samples share them.
    """

    groups: tuple[EnergyGroup, ...]
    full: Sample
    fast: Sample
    strata: Strata | None = None

    def values(self, sample: Sample, name: str, label: str | None = None) -> FloatArray:
        """Return the finite values of an observable in one of the samples.

        Args:
            sample: :attr:`full` or :attr:`fast`.
            name: the observable.
            label: of the energy; any other text, or None, stands for all of them.
        """
        found = sample.values[name]
        for group in self.groups:
            if group.label == label:
                found = found[group.select(sample.energies)]
        return found[np.isfinite(found)]

    @property
    def detector(self) -> Detector:
        """The detector of both."""
        return self.full.detector
