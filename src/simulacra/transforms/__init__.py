"""Invertible preprocessing as modules: constants are buffers, so they travel with the weights."""

from simulacra.transforms.base import Response, Transform
from simulacra.transforms.encoder import ConditionEncoder
from simulacra.transforms.fraction import FractionOfEnergy
from simulacra.transforms.normalised import NormalisedShowers, feature_counts

__all__ = [
    "ConditionEncoder",
    "FractionOfEnergy",
    "NormalisedShowers",
    "Response",
    "Transform",
    "feature_counts",
]
