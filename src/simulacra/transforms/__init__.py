"""Invertible preprocessing as modules: constants are buffers, so they travel with the weights."""

from simulacra.transforms.base import Encoder, Response, Transform
from simulacra.transforms.calorimeter.fraction import FractionOfEnergy
from simulacra.transforms.calorimeter.impact import ImpactEncoder
from simulacra.transforms.calorimeter.layers import LayersOfCells
from simulacra.transforms.calorimeter.logarithmic import LogarithmicShowers
from simulacra.transforms.calorimeter.normalised import NormalisedShowers
from simulacra.transforms.calorimeter.parts import PartsOfEnergy
from simulacra.transforms.calorimeter.reflections import Reflections
from simulacra.transforms.calorimeter.turns import Turns
from simulacra.transforms.encoder import ConditionEncoder, EncodedAndPhysical
from simulacra.transforms.scaled import ScaledCells, ScaledConditions
from simulacra.transforms.tpc.helix_frame import HelixFrame
from simulacra.transforms.tpc.track_encoder import TrackEncoder
from simulacra.transforms.tpc.tracks import TrackTables

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
    "PartsOfEnergy",
    "Reflections",
    "Response",
    "ScaledCells",
    "ScaledConditions",
    "TrackEncoder",
    "TrackTables",
    "Transform",
    "Turns",
]
