"""Turning an event moves cells about the beam, and nothing else."""

import numpy as np
import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.detectors.calorimeter.beam import Beam
from simulacra.transforms import LayersOfCells, LogarithmicShowers
from simulacra.transforms.calorimeter.turns import Turns
from tests.conftest import random_events


@pytest.mark.parametrize(
    ("name", "sectors"), [("calochallenge-1-photons", 10), ("calochallenge-2", 16)]
)
def test_all_layers_turn_by_one_angle(name, sectors):
    detector = load_detector(name)
    turns, of_layers = Turns(detector), LayersOfCells(detector)
    assert turns.orders.shape == (2 * sectors, of_layers.cells)
    assert len({tuple(order) for order in turns.orders.tolist()}) == 2 * sectors
    places = np.concatenate([layer.x + 1j * layer.y for layer in detector.layers])
    layers = of_layers.layer_of_cell.numpy()
    cut = np.concatenate([np.full(la.x.size, la.shape[0] > 1) for la in detector.layers])
    for number, order in enumerate(turns.orders.numpy()):
        assert np.array_equal(layers[order], layers)
        assert np.allclose(np.abs(places[order]), np.abs(places))
        mirror = places.conj() if number >= sectors else places
        turned = places[order][cut] / mirror[cut]
        assert np.allclose(turned, turned[0])
        assert np.array_equal(order[~cut], np.flatnonzero(~cut))


def test_the_angle_of_incidence_leaves_a_mirror():
    detector = load_detector("par04-siw")
    orders = Turns(detector).orders
    assert len(orders) == 2
    y = np.concatenate([layer.y for layer in detector.layers])
    assert torch.equal(orders[0], torch.arange(detector.n_cells))
    assert np.allclose(y[orders[1].numpy()], -y)
    tilted = Beam(theta=(0.3, 0.3))
    energy = {"energy": detector.conditions["energy"]}
    fixed = detector.model_copy(update={"conditions": energy, "beam": tilted})
    assert torch.equal(Turns(fixed).orders, orders)
    other = {**detector.conditions, "phi": detector.conditions["theta"]}
    assert len(Turns(detector.model_copy(update={"conditions": other})).orders) == 1


def test_sectors_of_squares_turn_by_quarters():
    detector = load_detector("par04-siw")
    energy = {"energy": detector.conditions["energy"]}
    straight = detector.model_copy(update={"conditions": energy, "beam": Beam()})
    orders = Turns(straight).orders
    assert len(orders) == 8
    places = np.concatenate([layer.x + 1j * layer.y for layer in detector.layers])
    assert np.allclose(places[orders[1].numpy()] ** 4, places**4)


def test_square_cells_are_not_turned_and_no_random_number_is_drawn(barrel):
    rng = torch.Generator().manual_seed(1)
    before, cells = rng.get_state(), torch.rand(5, 266)
    assert Turns(barrel).turn(cells, rng) is cells
    assert torch.equal(rng.get_state(), before)


def test_training_sees_turned_events():
    detector = load_detector("calochallenge-1-photons")
    events = random_events(detector, 200)
    transform = LogarithmicShowers(detector)
    columns = torch.from_numpy(events.conditions.matrix(("energy",)))
    response = {"showers": torch.from_numpy(events["showers"])}
    transform.fit(response, columns)
    features = transform.forward(response, columns)
    turned = transform.dequantise(features, torch.Generator().manual_seed(1))
    layers = len(detector.layers)
    assert torch.equal(turned[:, :layers], features[:, :layers])
    assert torch.equal(turned.sort(dim=1).values, features.sort(dim=1).values)
    same = (turned == features).all(dim=1).float().mean()
    assert same == pytest.approx(1 / 20, abs=0.05)
