"""The 20 shower features of CaloGAN, in the order and with the definitions of its publication.

E_i is the energy of layer i (0, 1, 2), MeV; x_j is the middle of row j of a layer's first array
axis when the rows divide -240 to 240 mm.

=====================  ============================================================================
``e0 e1 e2 etotal``    E_i and E_tot, MeV
``f0 f1 f2``           E_i / E_tot
``depth``              the deepest i with E_i != 0 (0 for an empty event)
``eratio_0 1 2``       (E_1st - E_2nd) / (E_1st + E_2nd + 1e-6) of the two hottest cells
``lateral_depth``      l_d = sum(i E_i), MeV
``lateral_width_0 …``  sqrt(<x^2> - <x>^2), mm; means are energy-weighted, over E_i + 1e-6
``shower_depth``       s_d = l_d / E_tot
``sparsity_0 1 2``     the part of cells with energy
``shower_depth_width`` sqrt(sum(i^2 E_i) / E_tot - s_d^2)
=====================  ============================================================================

Ratios to E_tot are undefined (nan) for an empty event, as in the original. Square roots of what
rounding makes negative are 0 here and nan there.

References:
    M. Paganini, L. de Oliveira, B. Nachman (2017), arXiv:1705.02355; the analysis code published
    with it defines the features.
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation
from simulacra.errors import DetectorError
from simulacra.events import Events
from simulacra.observables.calorimeter.showers import LayerShowers, Showers

FEATURES = (
    *("e0", "e1", "e2", "etotal", "f0", "f1", "f2", "depth"),
    *("eratio_0", "eratio_1", "eratio_2", "lateral_depth"),
    *("lateral_width_0", "lateral_width_1", "lateral_width_2", "shower_depth"),
    *("sparsity_0", "sparsity_1", "sparsity_2", "shower_depth_width"),
)
"""Names of the features, in the published order."""
EPSILON = 1e-6
HALF_WIDTH = 240.0
"""Half the width of CaloGAN's calorimeter, mm."""


def calogan_features(events: Events) -> FloatArray:
    """Return the features (n, 20) of the events of a detector with three Cartesian layers.

    Example:
        >>> from simulacra import Conditions, Events, load_detector
        >>> detector = load_detector("calogan")
        >>> showers = np.zeros((1, detector.n_cells))
        >>> showers[0, 288] = 1000.0  # MeV, in the first cell of the layer in the middle
        >>> events = Events(Conditions({"energy": np.array([2e3])}), {"showers": showers}, detector)
        >>> features = dict(zip(FEATURES, calogan_features(events)[0]))
        >>> features["e1"], features["f1"], features["depth"], features["sparsity_0"]
        (np.float64(1000.0), np.float64(1.0), np.float64(1.0), np.float64(0.0))

    Raises:
        DetectorError: the detector has other layers.
    """
    _require_three_layers(events)
    showers = Showers(events)
    layers = [showers[layer.name] for layer in showers.detector.layers]
    energies = showers.layer_energies
    number = np.arange(3)
    lateral_depth, lateral_depth_2 = energies @ number, energies @ number**2
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions = energies / showers.total[:, None]
        shower_depth = lateral_depth / showers.total
        variance = lateral_depth_2 / showers.total - shower_depth**2
    columns = [
        *energies.T,
        showers.total,
        *fractions.T,
        np.max(number * (energies != 0), axis=1),
        *(_energy_ratio(layer) for layer in layers),
        lateral_depth,
        *(_lateral_width(layer) for layer in layers),
        shower_depth,
        *(np.mean(layer.cells > 0, axis=1) for layer in layers),
        np.sqrt(np.maximum(variance, 0.0)),  # keeps nan
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def _require_three_layers(events: Events) -> None:
    detector = events.detector
    if (
        not isinstance(detector, Calorimeter)
        or len(detector.layers) != 3
        or not all(isinstance(la.segmentation, CartesianSegmentation) for la in detector.layers)
    ):
        msg = f"{detector.name}: CaloGAN's features need a calorimeter of three Cartesian layers"
        raise DetectorError(msg)


def _energy_ratio(layer: LayerShowers) -> FloatArray:
    first, second = layer.hottest
    return (first - second) / (EPSILON + first + second)


def _lateral_width(layer: LayerShowers) -> FloatArray:
    rows = layer.layer.shape[0]
    x = (np.arange(rows) + 0.5) * 2 * HALF_WIDTH / rows - HALF_WIDTH
    profile = layer.grid.sum(axis=2)
    energy = layer.energy + EPSILON
    variance = profile @ x**2 / energy - (profile @ x / energy) ** 2
    width: FloatArray = np.sqrt(np.maximum(variance, 0.0))
    return width
