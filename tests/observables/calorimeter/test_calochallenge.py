"""CaloChallenge's features: counts, closed forms, and a slow rendering of their definitions."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import DetectorError
from simulacra.events import Events
from simulacra.observables.calorimeter import calochallenge
from simulacra.observables.calorimeter.calochallenge import (
    THRESHOLDS,
    classifier_input,
    high_level_features,
    layer_number,
)
from tests.calochallenge import layout, showers_like
from tests.conftest import random_events


@pytest.mark.parametrize(("dataset", "inputs"), [("1-photons", 30), ("1-pions", 46), ("2", 362)])
def test_the_classifier_has_the_published_number_of_inputs(dataset, inputs):
    features = high_level_features(showers_like(dataset, 3), THRESHOLDS[dataset])
    values = classifier_input(features)
    assert values.shape == (3, inputs)
    assert np.all(np.isfinite(values))


@pytest.mark.parametrize(("dataset", "voxels"), [("1-photons", 368), ("1-pions", 533), ("2", 6480)])
def test_the_layouts_have_the_published_number_of_voxels(dataset, voxels):
    assert layout(dataset).n_cells == voxels


def test_every_feature_of_one_shower_by_hand():
    events = showers_like("1-photons", 1, seed=3)
    features = high_level_features(events, 1.0)
    for layer in events.detector.layers:
        energy = x = y = r = x2 = y2 = r2 = 0.0
        hit, edges, sectors = 0, layer.segmentation.r_edges, layer.segmentation.alpha
        for place, cell in enumerate(events["showers"][0, layer.cells]):
            if cell < 1.0:
                continue
            sector, ring = divmod(place, len(edges) - 1)
            radius = (edges[ring] + edges[ring + 1]) / 2
            angle = -np.pi + (sector + 0.5) * 2 * np.pi / sectors
            eta, phi = radius * np.cos(angle), radius * np.sin(angle)
            energy, hit = energy + cell, hit + 1
            x, y, r = x + eta * cell, y + phi * cell, r + radius * cell
            x2, y2, r2 = x2 + eta**2 * cell, y2 + phi**2 * cell, r2 + radius**2 * cell
        found = features.layers[layer.name]
        total = energy + 1e-16
        expected = {
            "energy": energy,
            "sparsity": 1 - hit / np.prod(layer.shape),
            "ec_r": r / total,
            "width_r": np.sqrt(max(r2 / total - (r / total) ** 2, 0)),
        }
        if sectors > 1:
            expected |= {
                "ec_eta": x / total,
                "ec_phi": y / total,
                "width_eta": np.sqrt(max(x2 / total - (x / total) ** 2, 0)),
                "width_phi": np.sqrt(max(y2 / total - (y / total) ** 2, 0)),
            }
        for name, value in expected.items():
            assert getattr(found, name)[0] == pytest.approx(value, rel=1e-9, abs=1e-6), name
        assert (found.ec_eta is None) == (sectors == 1)


def test_chunks_do_not_matter(monkeypatch):
    events = showers_like("1-pions", 50)
    whole = classifier_input(high_level_features(events, 1.0))
    monkeypatch.setattr(calochallenge, "CHUNK", 7 * 533)
    assert np.array_equal(classifier_input(high_level_features(events, 1.0)), whole)


def test_what_is_below_the_threshold_does_not_count():
    detector = layout("1-photons")
    showers = np.zeros((1, detector.n_cells))
    showers[0, :2] = 0.999, 2.0
    events = Events(Conditions({"energy": np.full(1, 256.0)}), {"showers": showers}, detector)
    first = high_level_features(events, 1.0).layers["layer_0"]
    assert first.energy == 2.0
    assert first.ec_r == pytest.approx(7.5)
    assert first.sparsity == pytest.approx(1 - 1 / 8)


def test_layers_are_numbered_by_their_name_or_their_place():
    pions = layout("1-pions").layers
    assert [layer_number(layer, i) for i, layer in enumerate(pions)] == [0, 1, 2, 3, 12, 13, 14]
    assert layer_number(load_detector("atlas-barrel").layers[2], 2) == 2


def test_cartesian_layers_are_refused(barrel):
    with pytest.raises(DetectorError, match="polar"):
        high_level_features(random_events(barrel, 2), 1.0)
