"""Observables of calorimeters."""

from simulacra.observables.calorimeter.catalogue import calorimeter_observables
from simulacra.observables.kinds import ObservablesOfKind

OBSERVABLES = ObservablesOfKind(
    calorimeter_observables,
    ("response", "fraction", "centre", "width", "hottest_cells_ratio"),
    ("response", "layer_energy"),
)
