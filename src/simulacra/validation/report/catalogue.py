"""The plots of a report; those that need a particular kind of detector are in a table by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulacra.files.entry_points import Table
from simulacra.files.progress import OnProgress, silent, tracked
from simulacra.validation.compared import Compared
from simulacra.validation.report.canvas import Plot, styled
from simulacra.validation.report.division_plots import division_plots
from simulacra.validation.report.group_plots import grouped_histograms, profiles
from simulacra.validation.report.primary_plots import primary_against_energy, primary_by_energy
from simulacra.validation.report.relation_plots import correlation_plots, impact_plots
from simulacra.validation.result import Validation

PlotFunction = Callable[[Validation, Compared], Iterator[Plot]]


PLOTS: tuple[PlotFunction, ...] = (
    primary_against_energy,
    primary_by_energy,
    division_plots,
    profiles,
    impact_plots,
    grouped_histograms,
    correlation_plots,
)
PLOTS_OF_KIND: Table[tuple[PlotFunction, ...]] = Table(
    "simulacra.plots",
    {
        "calorimeter": "simulacra.validation.report.calorimeter:PLOTS",
        "tpc": "simulacra.validation.report.tpc:PLOTS",
        "jet-image": "simulacra.validation.report.jets:PLOTS",
    },
)
"""Other packages add rows."""


def report_plots(
    validation: Validation, compared: Compared, on_progress: OnProgress = silent
) -> Iterator[Plot]:
    """Yield the plots of a report, one after the other."""
    functions = (*PLOTS, *PLOTS_OF_KIND.get(compared.detector.kind, ()))
    for function in tracked("drawing the report", functions, on_progress):
        with styled():  # closed before each yield: the caller keeps its own style
            plots = list(function(validation, compared))
        yield from plots
