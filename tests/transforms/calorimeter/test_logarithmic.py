"""There and back, closure, and emptiness."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.datasets.samples import load_sample
from simulacra.detectors import Calorimeter, load_detector
from simulacra.transforms import LogarithmicShowers


def sample(detector, seed, n=16):
    """Showers over many decades, with empty cells and empty layers."""
    rng = torch.Generator().manual_seed(seed)
    shape = (n, detector.n_cells)
    showers = (4 * torch.randn(shape, generator=rng)).exp()
    showers *= torch.rand(shape, generator=rng) < 0.4
    for number, layer in enumerate(detector.layers[:-1]):
        showers[number % n :: 5, layer.cells] = 0.0
    columns = torch.ones(n, len(detector.conditions))
    columns[:, list(detector.conditions).index("energy")] = showers.sum(1) + 1.0
    for i, name in enumerate(detector.conditions):
        if name.startswith("impact"):
            columns[:, i] = torch.randn(n, generator=rng)
    return {"showers": showers}, columns


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["atlas-barrel", "calogan", "calochallenge-1-pions"]))
def test_there_and_back(seed, name):
    detector = load_detector(name)
    assert isinstance(detector, Calorimeter)
    response, columns = sample(detector, seed)
    transform = LogarithmicShowers(detector)
    transform.fit(response, columns)
    features = transform.forward(response, columns)
    assert features.shape == (16, transform.of_layers.layers + transform.of_layers.cells)
    back = transform.inverse(torch.where(features.isnan(), 0.0, features), columns)["showers"]
    layers = transform.of_layers.sums(response["showers"])
    there = transform.of_layers.spread(layers) > 0  # an empty layer's cells are all -inf: no shape
    there &= (layers[:, transform.reference] > 0).expand_as(there)
    assert torch.equal(back[there] > 0, response["showers"][there] > 0)
    assert torch.allclose(back[there], response["showers"][there], rtol=1e-4)


def test_closure_of_any_features(barrel):
    transform = LogarithmicShowers(barrel)
    response, columns = sample(barrel, 3)
    transform.fit(response, columns)
    rng = torch.Generator().manual_seed(1)
    features = 5 * torch.randn((16, 270), generator=rng)
    features = torch.where(torch.rand(features.shape, generator=rng) < 0.3, -torch.inf, features)
    features[:, 0] = 0.01
    cells = transform.inverse(features, columns)["showers"]
    energy = columns[:, 0] * torch.tensor(0.01).exp()
    assert torch.allclose(cells.double().sum(1), energy.double(), rtol=1e-5)
    assert cells.min() >= 0


def test_an_empty_event_stays_empty(barrel):
    transform = LogarithmicShowers(barrel)
    columns = torch.ones(1, 5)
    features = transform.forward({"showers": torch.zeros(1, 266)}, columns)
    assert features[0, 0] == -torch.inf
    filled = torch.where(torch.isfinite(features[:, 1:]), features[:, 1:], 0.0)
    cells = transform.inverse(torch.cat([features[:, :1], filled], 1), columns)["showers"]
    assert cells.abs().max() == 0


def test_the_reference_is_the_layer_with_most_energy(barrel):
    response, columns = sample(barrel, 5)
    response["showers"][:, barrel.layers[2].cells] *= 1e6
    transform = LogarithmicShowers(barrel)
    transform.fit(response, columns)
    assert transform.reference.item() == 2
    assert transform.others.tolist() == [0, 1, 3]
    layers = transform.of_layers.sums(response["showers"].double())
    features = transform.forward(response, columns)
    assert features[0, 3].item() == pytest.approx((layers[0, 3] / layers[0, 2]).log().item())


def test_thin_layers_are_taken_by_themselves(barrel):
    events = load_sample("train")
    columns = torch.from_numpy(events.conditions.matrix(tuple(barrel.conditions)))
    response = {"showers": torch.from_numpy(events["showers"])}
    transform = LogarithmicShowers(barrel)
    transform.fit(response, columns)
    names = [barrel.layers[i].name for i in transform.others]
    assert dict(zip(names, transform.single.tolist(), strict=True)) == {
        "presampler": True,
        "strips": False,
        "back": True,
    }
    features = transform.forward(response, columns)
    for slot in (1, 3):
        scores = features[:, slot][torch.isfinite(features[:, slot])]
        assert scores.mean().item() == pytest.approx(0, abs=0.02)
        assert scores.std().item() == pytest.approx(1, abs=0.05)
    back = transform.inverse(features, columns)["showers"]
    full = torch.isfinite(back)  # but for empty layers, whose cells have no shape
    assert torch.allclose(back[full], response["showers"][full], rtol=1e-3, atol=1e-6)
    layers = transform.of_layers.sums(response["showers"])
    assert torch.equal(~full.all(1), (layers == 0).any(1))
