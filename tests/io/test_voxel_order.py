"""The order of cells is judged by the showers: wrong ones are refused, right ones never."""

import warnings

import h5py
import numpy as np
import pytest

from simulacra.detectors import Calorimeter, load_detector
from simulacra.errors import EventsError
from simulacra.io import read_events
from simulacra.io.voxel_order import ORDERS, STATED, clearer_orders, require_order

SMALL = (10, 8, 5)


def cylinder(counts):
    """A detector of equal layers of rings and sectors."""
    content = load_detector("calochallenge-2").model_dump()
    layers, alpha, rings = counts
    content["stack"][0]["repeat"] = layers
    edges = tuple(40.0 * n / rings for n in range(rings + 1))
    content["stack"][0]["readout"]["segmentation"] |= {"alpha": alpha, "r_edges": edges}
    return Calorimeter.model_validate(content)


def showers(counts, n, seed=0, off=0.0, odd=1.0, hits=200, muons=False):
    """Showers as (n, layer, alpha, r), with the beam off the axis and odd layers heavier."""
    rng = np.random.default_rng(seed)
    layers, alpha, rings = counts
    depth = np.arange(layers) / layers
    along = np.ones(layers) if muons else (depth + 0.05) ** 2 * np.exp(-8 * depth)
    along = along * np.where(np.arange(layers) % 2, odd, 1.0)
    angle = (np.arange(alpha) + 0.5) * 2 * np.pi / alpha
    r = (np.arange(rings) + 0.5) / rings
    x, y = np.outer(np.cos(angle), r), np.outer(np.sin(angle), r)
    across = r * np.exp(-6 * np.hypot(x - off, y))
    mean = along[:, None, None] * across
    cells = rng.poisson(hits * mean / mean.sum(), (n, *mean.shape)).astype(float)
    return cells * rng.gamma(2, 1, cells.shape)


def stored(cells, order):
    """The cells (n, layer, alpha, r) as somebody stores them in an order (n, cells)."""
    return cells.transpose((0, *(1 + np.array(order)))).reshape(len(cells), -1)


KINDS = {
    "round": {},
    "sparse": {"hits": 60},
    "off the axis": {"off": 0.4},
    "heavy layers": {"odd": 3.0},
    "muons off the axis": {"off": 0.5, "muons": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 5, 9, 40])
def test_right_orders_are_never_refused(kind, n):
    detector = cylinder(SMALL)
    for seed in range(4):
        cells = showers(SMALL, n, seed, **KINDS[kind])
        assert clearer_orders(stored(cells, STATED), detector) == []


@pytest.mark.parametrize("kind", ["round", "off the axis", "heavy layers"])
@pytest.mark.parametrize("order", [order for order in ORDERS if order != STATED])
def test_wrong_orders_are_refused(kind, order):
    detector = cylinder(SMALL)
    cells = stored(showers(SMALL, 200, hits=1000, **KINDS[kind]), order)
    with pytest.raises(EventsError, match="look stored in the order"):
        require_order(cells, detector)


@pytest.mark.parametrize("order", [order for order in ORDERS if order != STATED])
def test_any_order_of_a_plain_file(order, tmp_path):
    counts, n = (45, 16, 9), 40
    cells = showers(counts, n, hits=3000)
    cells *= 9000 / cells.sum(axis=(1, 2, 3), keepdims=True)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["incident_energies"] = np.full((n, 1), 1e4)
        file["showers"] = stored(cells, order)
    with pytest.raises(EventsError, match=r"a\.h5: the cells look stored"):
        read_events(tmp_path / "a.h5", load_detector("calochallenge-2"))


def test_order_within_layers_that_differ():
    detector = load_detector("calochallenge-1-photons")
    rng = np.random.default_rng(1)
    right, wrong = [], []
    for layer in detector.layers:
        mean = np.exp(-np.hypot(layer.x, layer.y) / 20)
        ring = np.asarray(layer.segmentation.r_edges)
        mean = np.tile(np.exp(-ring[:-1] / 30), layer.shape[0]) if layer.shape[0] == 1 else mean
        cells = rng.poisson(20 * mean, (30, len(mean))).astype(float)
        right.append(cells)
        wrong.append(cells.reshape(-1, *layer.shape).transpose(0, 2, 1).reshape(30, -1))
    require_order(np.concatenate(right, axis=1), detector)
    with pytest.raises(EventsError, match=r"order \(layer, r, alpha\)"):
        require_order(np.concatenate(wrong, axis=1), detector)


def test_axes_of_equal_length_that_look_exchanged_are_a_note():
    """A muon beside the axis, or layers taken for sectors: the numbers cannot say."""
    counts = (8, 8, 8)
    cells = showers(counts, 40, off=0.5, muons=True)
    with pytest.warns(UserWarning, match="right only if the showers are off the axis"):
        require_order(stored(cells, STATED), cylinder(counts))


@pytest.mark.parametrize("name", ["clic-ecal", "calogan", "atlas-barrel"])
def test_noise_says_nothing(name):
    detector = load_detector(name)
    rng = np.random.default_rng(2)
    for n in (3, 6, 12):
        cells = rng.exponential(1, (n, detector.n_cells)) * (rng.random(detector.n_cells) < 0.2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            require_order(cells, detector)
