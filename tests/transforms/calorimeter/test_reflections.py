"""Folding mirrors positions, conserves energy and undoes itself."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.detectors import load_detector
from simulacra.transforms import ImpactEncoder, Reflections
from tests.conftest import random_events


def _columns(events):
    return torch.from_numpy(events.conditions.matrix(tuple(events.detector.conditions)))


def _positions(detector, columns):
    """Where each cell's centre lies relative to the impact, (n, cells, axes) in mm, slowly."""
    names = list(detector.conditions)
    found = np.zeros((len(columns), detector.n_cells, 2))
    for row, values in enumerate(columns.numpy()):
        for axis, name in enumerate(detector.axes):
            state = int(values[names.index(f"alignment_{name}")])
            impact = values[names.index(f"impact_{name}")]
            for layer in detector.layers:
                centres = (layer.x, layer.y)[axis]
                offset = detector.window_offset(layer, axis)[state]
                found[row, layer.cells, axis] = centres + offset - impact
    return found


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_a_mirrored_cell_lies_at_the_mirrored_place(barrel, seed):
    events = random_events(barrel, 8, seed=seed)
    columns, reflections = _columns(events), Reflections(barrel)
    before, after = (_positions(barrel, c) for c in (columns, reflections.fold(columns)))
    impacts = columns[:, reflections.impacts].numpy()
    signs = np.where(impacts < 0, -1, 1)[:, None]
    for axis in range(2):
        positions = torch.from_numpy(before[:, :, axis] * signs[:, :, axis])
        moved = reflections.mirror(positions, columns).numpy()
        assert np.allclose(moved, after[:, :, axis], atol=1e-4)


def test_folding_leaves_no_negative_impact_and_is_idempotent(barrel):
    columns, reflections = _columns(random_events(barrel, 100)), Reflections(barrel)
    folded = reflections.fold(columns)
    assert folded[:, reflections.impacts].min() >= 0
    assert torch.equal(reflections.fold(folded), folded)
    others = [i for i, name in enumerate(barrel.conditions) if name == "energy"]
    assert torch.equal(folded[:, others], columns[:, others])


def test_mirroring_twice_is_nothing_and_conserves_energy(barrel):
    events = random_events(barrel, 50)
    columns, reflections = _columns(events), Reflections(barrel)
    cells = torch.from_numpy(events["showers"])
    mirrored = reflections.mirror(cells, columns)
    assert not torch.equal(mirrored, cells)
    assert torch.equal(reflections.mirror(mirrored, columns), cells)
    assert torch.equal(mirrored.sort(dim=1).values, cells.sort(dim=1).values)


def test_without_an_impact_nothing_is_folded():
    detector = load_detector("calogan")
    columns = torch.full((3, len(detector.conditions)), 1000.0)
    reflections = Reflections(detector)
    cells = torch.rand(3, detector.n_cells)
    assert torch.equal(reflections.fold(columns), columns)
    assert torch.equal(reflections.mirror(cells, columns), cells)


def test_encoder_knows_where_the_layers_lie(barrel):
    events = random_events(barrel, 20)
    encoder = ImpactEncoder(barrel, waves=2)
    columns = _columns(events)
    encoder.fit(columns)
    features = encoder(columns)
    assert features.shape == (20, encoder.features)
    folded = encoder.reflections.fold(columns)
    expected = _positions(barrel, folded)
    layers = len(barrel.layers)
    found = features[:, -2 * layers :].view(-1, 2, layers)
    for number, layer in enumerate(barrel.layers):
        for axis, centres in enumerate((layer.x, layer.y)):
            places = found[:, axis, number, None] + torch.from_numpy(centres)
            assert np.allclose(places, expected[:, layer.cells, axis], atol=1e-3)


def test_mirrored_events_have_equal_features(barrel):
    columns = _columns(random_events(barrel, 20))
    encoder = ImpactEncoder(barrel, waves=3)
    encoder.fit(columns)
    assert torch.allclose(encoder(columns), encoder(encoder.reflections.fold(columns)))
