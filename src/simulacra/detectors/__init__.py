"""Detectors as data: what is read out, and what Geant4 needs to build it."""

from simulacra.detectors.base import ConditionSpec, Detector, ResponseArray
from simulacra.detectors.calorimeter.calorimeter import Calorimeter, Layer
from simulacra.detectors.catalogue import (
    KINDS,
    builtin_detectors,
    load_detector,
    parse_detector,
)
from simulacra.detectors.jet_image import JetImage
from simulacra.detectors.tpc import TPC

__all__ = [
    "KINDS",
    "TPC",
    "Calorimeter",
    "ConditionSpec",
    "Detector",
    "JetImage",
    "Layer",
    "ResponseArray",
    "builtin_detectors",
    "load_detector",
    "parse_detector",
]
