"""Observables of jet images."""

from simulacra.detectors.jet_image import PROCESS
from simulacra.observables.jets.catalogue import jet_observables
from simulacra.observables.kinds import ObservablesOfKind

OBSERVABLES = ObservablesOfKind(
    lambda detector, _: jet_observables(detector),
    ("mass", "momentum", "tau21"),
    ("mass", "momentum", "tau21"),
    PROCESS,
)
