"""Hybrid simulation: Geant4 in which rules choose who answers, itself or a fast simulator.

Importing this loads neither torch nor Geant4.
"""

from simulacra.hybrid.card import HybridCard, RegionCard, SimulatorCard
from simulacra.hybrid.events import AnswerCount, Audit, Hits, HybridEvents, Requests, RuleCount
from simulacra.hybrid.file import read_hybrid, write_hybrid
from simulacra.hybrid.primaries import ParticleCard, Primaries
from simulacra.hybrid.rules import Outcome, Rule
from simulacra.hybrid.run import simulate_hybrid

__all__ = [
    "AnswerCount",
    "Audit",
    "Hits",
    "HybridCard",
    "HybridEvents",
    "Outcome",
    "ParticleCard",
    "Primaries",
    "RegionCard",
    "Requests",
    "Rule",
    "RuleCount",
    "SimulatorCard",
    "read_hybrid",
    "simulate_hybrid",
    "write_hybrid",
]
