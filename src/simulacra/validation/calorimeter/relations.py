"""What a validation adds for calorimeters: resolution, impact, mean showers and cells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulacra.detectors import Calorimeter
from simulacra.validation.calorimeter.cell_comparison import CellComparison, compare_cells
from simulacra.validation.calorimeter.cells import cell_sums
from simulacra.validation.calorimeter.configurations import configuration_scores, left_out
from simulacra.validation.calorimeter.impact import impact_profiles
from simulacra.validation.calorimeter.resolution import resolution_of

if TYPE_CHECKING:
    from simulacra.validation.compared import Compared
    from simulacra.validation.result import Validation
    from simulacra.validation.sample import Sample


def with_showers(validation: Validation, compared: Compared) -> Validation:
    """Return the result with profiles, mean showers and what depends on energy and impact."""
    detector = compared.detector
    assert isinstance(detector, Calorimeter)
    return replace(
        validation,
        resolution=resolution_of(validation.energies, validation.primary_observable),
        impact_profiles=impact_profiles(compared.full, compared.fast, compared.strata),
        cells=_cells(compared.full, compared.fast),
        configurations=configuration_scores(compared),
        notes=(*validation.notes, *left_out(detector, compared.groups)),
    )


def _cells(reference: Sample, generated: Sample) -> CellComparison | None:
    if not len(reference) or not len(generated):
        return None
    return compare_cells(reference.summed(cell_sums), generated.summed(cell_sums))
