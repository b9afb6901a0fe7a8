"""CaloChallenge's high-level features, exactly as its evaluation defines them.

They differ from the observables of a report in three ways: cells below a threshold are set to zero
first, energies in denominators get 1e-16 added, and centres are not relative to an impact. The
first coordinate of a polar cell, r cos(alpha), is called eta and the second, r sin(alpha), phi;
both are lengths in mm.

References:
    C. Krause et al. (2024), CaloChallenge 2022, arXiv:2410.21611; its public evaluation code
    (``HighLevelFeatures.py``, ``evaluate.py``) defines the features and their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Detector, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import DetectorError
from simulacra.events import Events
from simulacra.observables.calorimeter.showers import ring_radii
from simulacra.observables.observable import CHUNK

EPSILON = 1e-16
FEATURES = (
    "energy",
    *("ec_eta", "ec_phi", "width_eta", "width_phi"),
    *("sparsity", "ec_r", "width_r"),
)
"""Names of a layer's features."""
THRESHOLDS = {"1-photons": 1.0, "1-pions": 1.0, "2": 0.5e-3 / 0.033, "3": 0.5e-3 / 0.033}
"""Energy in MeV below which the official evaluation empties a voxel, by dataset."""


@dataclass(frozen=True, slots=True)
class LayerFeatures:
    """The features of one layer, each (n,); eta and phi are None where alpha is not divided.

    Attributes:
        number: the layer's number in the official binning, by which limits of axes are chosen.
        energy: E_layer, MeV.
        ec_eta, ec_phi, ec_r: centres of energy, sum(x E) / (sum(E) + 1e-16), mm.
        width_eta, width_phi, width_r: sqrt(max(sum(x^2 E) / (sum(E) + 1e-16) - EC^2, 0)), mm.
        sparsity: the part of the layer's voxels without energy.
    """

    number: int
    energy: FloatArray
    ec_eta: FloatArray | None
    ec_phi: FloatArray | None
    ec_r: FloatArray
    width_eta: FloatArray | None
    width_phi: FloatArray | None
    width_r: FloatArray
    sparsity: FloatArray


@dataclass(frozen=True, slots=True)
class HighLevelFeatures:
    """The features of some events.

    Attributes:
        incident: E_inc (n,), MeV.
        total: E_tot (n,), MeV.
        layers: the layers' features by the layers' names.
    """

    incident: FloatArray
    total: FloatArray
    layers: dict[str, LayerFeatures]


def high_level_features(events: Events, threshold: float) -> HighLevelFeatures:
    """Return the features of the events of a detector with polar layers.

    Args:
        events: the events.
        threshold: energy in MeV below which a cell is emptied; :data:`THRESHOLDS` has the official
            ones.

    Raises:
        DetectorError: a layer is not polar.
    """
    detector = require_polar(events.detector)
    step = max(1, CHUNK // detector.n_cells)
    parts = [
        _chunk(events.take(slice(i, i + step)), threshold) for i in range(0, len(events), step)
    ]
    return joined_features(parts)


def require_polar(detector: Detector) -> Calorimeter:
    """Return the detector, which must be a calorimeter with polar layers.

    Raises:
        DetectorError: it is another one.
    """
    if not isinstance(detector, Calorimeter) or not all(
        isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers
    ):
        msg = f"{detector.name}: CaloChallenge's features need a calorimeter with polar layers"
        raise DetectorError(msg)
    return detector


def _chunk(events: Events, threshold: float) -> HighLevelFeatures:
    assert isinstance(events.detector, Calorimeter)
    showers = emptied(events["showers"], threshold)
    layers = {
        layer.name: _layer_features(layer_number(layer, place), layer, showers[:, layer.cells])
        for place, layer in enumerate(events.detector.layers)
    }
    incident = events.conditions["energy"].astype(np.float64)
    return HighLevelFeatures(incident, showers.sum(axis=-1), layers)


def joined_features(parts: Sequence[HighLevelFeatures]) -> HighLevelFeatures:
    """Return the features of events that were looked at in parts."""
    layers = {}
    for name, first in parts[0].layers.items():
        columns: dict[str, Any] = {
            key: np.concatenate([getattr(part.layers[name], key) for part in parts])
            for key in FEATURES
            if getattr(first, key) is not None
        }
        layers[name] = replace(first, **columns)
    incident, total = (
        np.concatenate([getattr(part, key) for part in parts]) for key in ("incident", "total")
    )
    return HighLevelFeatures(incident, total, layers)


def emptied(cells: FloatArray, threshold: float) -> FloatArray:
    """Return the cells in double precision, those below the threshold set to zero."""
    cells = cells.astype(np.float64)
    return np.where(cells < threshold, 0.0, cells)


def layer_number(layer: Layer, place: int) -> int:
    """Return the number that ends a layer's name (``layer_12``), or its place in the stack."""
    found = re.search(r"\d+$", layer.name)
    return int(found[0]) if found else place


def _layer_features(number: int, layer: Layer, cells: FloatArray) -> LayerFeatures:
    energy: FloatArray = cells.sum(axis=-1)
    moments: dict[str, tuple[FloatArray, FloatArray] | tuple[None, None]] = {
        "eta": (None, None),
        "phi": (None, None),
    }
    if layer.shape[0] > 1:
        moments = {"eta": _moments(cells, layer.x, energy), "phi": _moments(cells, layer.y, energy)}
    ec_r, width_r = _moments(cells, ring_radii(layer), energy)
    return LayerFeatures(
        number=number,
        energy=energy,
        ec_eta=moments["eta"][0],
        ec_phi=moments["phi"][0],
        ec_r=ec_r,
        width_eta=moments["eta"][1],
        width_phi=moments["phi"][1],
        width_r=width_r,
        sparsity=1.0 - (cells > 0).mean(axis=-1),
    )


def _moments(
    cells: FloatArray, position: FloatArray, energy: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return centre and width (n,) of a coordinate (cells,)."""
    # in the order of the official code, not a matrix product: a shower within one ring lies
    # exactly on the edge of an official bin, and rounding decides which one it enters
    centre = (position * cells).sum(axis=-1) / (energy + EPSILON)
    square = (position * position * cells).sum(axis=-1) / (energy + EPSILON)
    return centre, np.sqrt(np.clip(square - centre**2, 0.0, None))


def classifier_input(features: HighLevelFeatures) -> FloatArray:
    """Return the input of the official high-level classifier, without the label: (n, inputs).

    log10 E_inc; log10(E_layer + 1e-8); EC_eta, EC_phi, width_eta, width_phi over 100 mm of the
    layers that are divided in alpha; log10(E_tot + 1e-8); sparsities; EC_r and width_r over 100 mm.
    These are 30 numbers for dataset 1 photons, 46 for its pions and 362 for datasets 2 and 3.
    """
    layers = list(features.layers.values())
    divided = [layer for layer in layers if layer.ec_eta is not None]
    columns = [
        [np.log10(features.incident)],
        [np.log10(layer.energy + 1e-8) for layer in layers],
        *([getattr(la, name) / 1e2 for la in divided] for name in ("ec_eta", "ec_phi")),
        *([getattr(la, name) / 1e2 for la in divided] for name in ("width_eta", "width_phi")),
        [np.log10(features.total + 1e-8)],
        [layer.sparsity for layer in layers],
        [layer.ec_r / 1e2 for layer in layers],
        [layer.width_r / 1e2 for layer in layers],
    ]
    return np.stack([column for part in columns for column in part], axis=1)
