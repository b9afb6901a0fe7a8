"""What a report shows: a result, and the events of the energies that both samples have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from simulacra.detectors import Detector
from simulacra.energies import EnergyGroup, energy_groups
from simulacra.validation.metrics.strata import Strata
from simulacra.validation.result import Validation
from simulacra.validation.sample import Sample


@dataclass(frozen=True, slots=True)
class Shown:
    """The input of all plots, and of what a kind of detector adds to a result.

    Attributes:
        validation: the result for the two samples.
        groups: the energies that both have.
        full, fast: reference and generated events of these energies.
        strata: which of these have equal conditions, where the samples share them.
    """

    validation: Validation
    groups: tuple[EnergyGroup, ...]
    full: Sample
    fast: Sample
    strata: Strata | None = None

    @property
    def detector(self) -> Detector:
        """The detector of both."""
        return self.full.detector

    @classmethod
    def of(cls, validation: Validation, reference: Sample, generated: Sample) -> Self | None:
        """Return what is drawn of two samples; None where they have no energy in common."""
        labels = {group.label for group in validation.energies}
        every = energy_groups(
            reference.energies, generated.energies, scale=reference.detector.scale
        )
        groups = tuple(group for group in every if group.label in labels)
        if not groups:
            return None
        full, fast = (
            sample.take(np.any([g.select(sample.energies) for g in groups], axis=0))
            for sample in (reference, generated)
        )
        return cls(validation, groups, full, fast)
