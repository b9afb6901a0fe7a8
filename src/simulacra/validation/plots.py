"""The plots of a report; those that need a particular kind of detector are in a table by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import matplotlib as mpl

from simulacra.events import Events
from simulacra.validation.canvas import STYLE, Plot
from simulacra.validation.cell_plots import cell_maps, cell_spectrum
from simulacra.validation.event_plots import single_events
from simulacra.validation.group_plots import grouped_histograms, profiles
from simulacra.validation.headline_plots import headline_against_energy, headline_by_energy
from simulacra.validation.profile_plots import lateral_profiles, longitudinal_profile
from simulacra.validation.relation_plots import correlation_plots, impact_plots
from simulacra.validation.result import Validation

PlotFunction = Callable[[Validation, Events, Events], Iterator[Plot]]

PLOTS: tuple[PlotFunction, ...] = (
    headline_against_energy,
    headline_by_energy,
    profiles,
    impact_plots,
    grouped_histograms,
    correlation_plots,
)
PLOTS_OF_KIND: Mapping[str, tuple[PlotFunction, ...]] = MappingProxyType(
    {
        "calorimeter": (
            longitudinal_profile,
            lateral_profiles,
            cell_maps,
            cell_spectrum,
            single_events,
        )
    }
)


def report_plots(validation: Validation, reference: Events, generated: Events) -> Iterator[Plot]:
    """Yield the plots of a report, one after the other."""
    for function in (*PLOTS, *PLOTS_OF_KIND.get(reference.detector.kind, ())):
        with mpl.rc_context():  # closed before each yield: the caller keeps its own style
            mpl.rcdefaults()
            for group, settings in STYLE.items():
                mpl.rc(group, **settings)
            plots = list(function(validation, reference, generated))
        yield from plots
