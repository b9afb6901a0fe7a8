"""Detectors as data: what is read out, and what Geant4 needs to build it."""

from simulacra.detectors.base import ConditionSpec, ResponseArray
from simulacra.detectors.calorimeter.calorimeter import Calorimeter, Layer
from simulacra.detectors.catalogue import (
    Detector,
    builtin_detectors,
    load_detector,
    parse_detector,
)
from simulacra.detectors.jet_image import JetImage
from simulacra.detectors.tpc import Tpc

__all__ = [
    "Calorimeter",
    "ConditionSpec",
    "Detector",
    "JetImage",
    "Layer",
    "ResponseArray",
    "Tpc",
    "builtin_detectors",
    "load_detector",
    "parse_detector",
]
