"""The plots of a report on a calorimeter."""

from __future__ import annotations

from collections.abc import Iterator

from simulacra.detectors import Calorimeter
from simulacra.validation.calorimeter.cells import cell_sums
from simulacra.validation.compared import Compared
from simulacra.validation.report.calorimeter.cell_plots import cell_maps, cell_spectrum
from simulacra.validation.report.calorimeter.configuration_plots import configuration_plots
from simulacra.validation.report.calorimeter.event_plots import single_events
from simulacra.validation.report.calorimeter.profile_plots import (
    lateral_profiles,
    longitudinal_profile,
)
from simulacra.validation.report.canvas import Plot
from simulacra.validation.result import Validation


def shower_plots(validation: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield what is drawn of all cells of a calorimeter."""
    detector = compared.detector
    assert isinstance(detector, Calorimeter)
    full, fast = compared.full.summed(cell_sums), compared.fast.summed(cell_sums)
    yield from longitudinal_profile(validation, full, fast)
    yield from lateral_profiles(detector, full, fast)
    yield from cell_maps(detector, full, fast)
    yield from cell_spectrum(full.spectrum, fast.spectrum)


PLOTS = (shower_plots, configuration_plots, single_events)
