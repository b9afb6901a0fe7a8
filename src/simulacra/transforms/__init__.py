"""Invertible preprocessing as modules: constants are buffers, so they travel with the weights."""

from simulacra.transforms.base import Encoder, Response, Transform
from simulacra.transforms.encoder import ConditionEncoder, EncodedAndPhysical
from simulacra.transforms.fraction import FractionOfEnergy
from simulacra.transforms.helix_frame import HelixFrame
from simulacra.transforms.impact import ImpactEncoder
from simulacra.transforms.layers import LayersOfCells
from simulacra.transforms.logarithmic import LogarithmicShowers
from simulacra.transforms.normalised import NormalisedShowers
from simulacra.transforms.reflections import Reflections
from simulacra.transforms.scaled import ScaledCells, ScaledConditions
from simulacra.transforms.track_encoder import TrackEncoder
from simulacra.transforms.tracks import TrackTables
from simulacra.transforms.turns import Turns

__all__ = [
    "ConditionEncoder",
    "EncodedAndPhysical",
    "Encoder",
    "FractionOfEnergy",
    "HelixFrame",
    "ImpactEncoder",
    "LayersOfCells",
    "LogarithmicShowers",
    "NormalisedShowers",
    "Reflections",
    "Response",
    "ScaledCells",
    "ScaledConditions",
    "TrackEncoder",
    "TrackTables",
    "Transform",
    "Turns",
]
