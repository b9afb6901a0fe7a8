"""Faults of a detector, applied to events: "data" whose truth is known."""

from simulacra.faults.distortion import distort
from simulacra.faults.fault import Fault, Subject
from simulacra.faults.kinds import KINDS, FaultsOfKind, Place, kind_of
from simulacra.faults.scenario import Scenario, Step

__all__ = [
    "KINDS",
    "Fault",
    "FaultsOfKind",
    "Place",
    "Scenario",
    "Step",
    "Subject",
    "distort",
    "kind_of",
]
