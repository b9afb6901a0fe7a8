"""A TPC's full simulation: Geant4 in the gas, then drift, amplification, samples and clusters."""

from simulacra.fullsim.tpc.clusters import Clusters, digitise
from simulacra.fullsim.tpc.deposits import Deposits

__all__ = ["Clusters", "Deposits", "digitise"]
