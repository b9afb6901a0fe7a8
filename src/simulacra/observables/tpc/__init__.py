"""Observables of a TPC."""

from simulacra.observables.kinds import ObservablesOfKind
from simulacra.observables.tpc.tracks_against_helices import tpc_observables

OBSERVABLES = ObservablesOfKind(
    lambda detector, _: tpc_observables(detector),
    ("rmse", "clusters", "shift", "width", "correlation", "dedx", "charge"),
    ("clusters", "dedx"),
)
