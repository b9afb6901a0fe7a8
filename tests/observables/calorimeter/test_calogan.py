"""CaloGAN's features: names, order, closed forms and a slow rendering of their definitions."""

import itertools

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import DetectorError
from simulacra.events import Events
from simulacra.observables.calorimeter.calogan import FEATURES, calogan_features
from tests.conftest import random_events

DETECTOR = load_detector("calogan")


def features(showers):
    conditions = Conditions({"energy": np.full(len(showers), 1e4)})
    return calogan_features(Events(conditions, {"showers": showers}, DETECTOR))


def test_names_are_the_published_ones():
    assert len(FEATURES) == len(set(FEATURES)) == 20


def by_hand(image):
    """The 20 features of one event from the published definitions, without arrays."""
    grids = [image[:288].reshape(3, 96), image[288:432].reshape(12, 12), image[432:].reshape(12, 6)]
    energies = [float(sum(grid.ravel().tolist())) for grid in grids]
    total = sum(energies)
    ratios, widths, sparsities = [], [], []
    for grid, energy in zip(grids, energies, strict=True):
        second, first = sorted(grid.ravel().tolist())[-2:]
        ratios.append((first - second) / (first + second + 1e-6))
        edges = [-240 + 480 * i / len(grid) for i in range(len(grid) + 1)]
        mean = square = 0.0
        for row, (low, high) in zip(grid, itertools.pairwise(edges), strict=True):
            mean += (low + high) / 2 * sum(row.tolist()) / (energy + 1e-6)
            square += ((low + high) / 2) ** 2 * sum(row.tolist()) / (energy + 1e-6)
        widths.append((square - mean**2) ** 0.5)
        sparsities.append(sum(cell > 0 for cell in grid.ravel().tolist()) / grid.size)
    depth = max((i for i in range(3) if energies[i] != 0), default=0)
    lateral = energies[1] + 2 * energies[2]
    lateral2 = energies[1] + 4 * energies[2]
    shower_depth = lateral / total
    return [
        *energies,
        total,
        *(e / total for e in energies),
        depth,
        *ratios,
        lateral,
        *widths,
        shower_depth,
        *sparsities,
        (lateral2 / total - shower_depth**2) ** 0.5,
    ]


def test_they_are_the_published_definitions():
    rng = np.random.default_rng(0)
    showers = rng.exponential(30, (40, 504)) * (rng.random((40, 504)) < 0.3)
    showers[:5, 432:] = 0  # nothing in the last layer
    expected = [by_hand(image) for image in showers]
    np.testing.assert_allclose(features(showers), expected, rtol=1e-9, atol=1e-6)


def test_scaling_leaves_the_dimensionless_ones():
    rng = np.random.default_rng(1)
    showers = rng.exponential(30, (10, 504))
    before, after = features(showers), features(7 * showers)
    energies = [FEATURES.index(n) for n in ("e0", "e1", "e2", "etotal", "lateral_depth")]
    factors = np.ones(20)
    factors[energies] = 7
    np.testing.assert_allclose(after, factors * before, rtol=1e-6)


def test_an_empty_event_is_undefined_only_where_it_must_be():
    values = dict(zip(FEATURES, features(np.zeros((1, 504)))[0], strict=True))
    undefined = {name for name, value in values.items() if np.isnan(value)}
    assert undefined == {"f0", "f1", "f2", "shower_depth", "shower_depth_width"}
    assert values["depth"] == 0


@pytest.mark.parametrize("name", ["atlas-barrel", "par04-siw"])
def test_other_detectors_are_refused(name):
    with pytest.raises(DetectorError, match="three Cartesian layers"):
        calogan_features(random_events(load_detector(name), 2))
