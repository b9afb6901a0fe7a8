"""The plots of a report; those that need a particular kind of detector are in a table by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from simulacra.detectors import Calorimeter
from simulacra.files.progress import OnProgress, silent, tracked
from simulacra.validation.calorimeter.cells import cell_sums
from simulacra.validation.compared import Compared
from simulacra.validation.report.canvas import Plot, styled
from simulacra.validation.report.cell_plots import cell_maps, cell_spectrum
from simulacra.validation.report.division_plots import division_plots
from simulacra.validation.report.event_plots import single_events
from simulacra.validation.report.group_plots import grouped_histograms, profiles
from simulacra.validation.report.primary_plots import primary_against_energy, primary_by_energy
from simulacra.validation.report.profile_plots import lateral_profiles, longitudinal_profile
from simulacra.validation.report.relation_plots import correlation_plots, impact_plots
from simulacra.validation.report.track_plots import energy_loss, pad_rows, single_tracks
from simulacra.validation.result import Validation

PlotFunction = Callable[[Validation, Compared], Iterator[Plot]]


def shower_plots(validation: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield what is drawn of all cells of a calorimeter."""
    detector = compared.detector
    assert isinstance(detector, Calorimeter)
    full, fast = compared.full.summed(cell_sums), compared.fast.summed(cell_sums)
    yield from longitudinal_profile(validation, full, fast)
    yield from lateral_profiles(detector, full, fast)
    yield from cell_maps(detector, full, fast)
    yield from cell_spectrum(full.spectrum, fast.spectrum)


PLOTS: tuple[PlotFunction, ...] = (
    primary_against_energy,
    primary_by_energy,
    division_plots,
    profiles,
    impact_plots,
    grouped_histograms,
    correlation_plots,
)
PLOTS_OF_KIND: Mapping[str, tuple[PlotFunction, ...]] = MappingProxyType(
    {
        "calorimeter": (shower_plots, single_events),
        "tpc": (pad_rows, energy_loss, single_tracks),
    }
)


def report_plots(
    validation: Validation, compared: Compared, on_progress: OnProgress = silent
) -> Iterator[Plot]:
    """Yield the plots of a report, one after the other."""
    functions = (*PLOTS, *PLOTS_OF_KIND.get(compared.detector.kind, ()))
    for function in tracked("drawing the report", functions, on_progress):
        with styled():  # closed before each yield: the caller keeps its own style
            plots = list(function(validation, compared))
        yield from plots
