"""Layers as parts of the incident energy: there and back, closure, and emptiness."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.datasets.samples import load_sample
from simulacra.detectors import Calorimeter, load_detector
from simulacra.transforms import PartsOfEnergy
from tests.transforms.calorimeter.test_logarithmic import sample


def _fitted(detector, seed):
    response, columns = sample(detector, seed)
    transform = PartsOfEnergy(detector)
    transform.fit(response, columns)
    return transform, response, columns


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["atlas-barrel", "calogan", "calochallenge-1-pions"]))
def test_there_and_back_whichever_layers_are_empty(seed, name):
    detector = load_detector(name)
    assert isinstance(detector, Calorimeter)
    transform, response, columns = _fitted(detector, seed)
    features = transform.forward(response, columns)
    layers, cells = transform.of_layers.layers, transform.of_layers.cells
    assert features.shape == (16, 1 + layers + cells)
    back = transform.inverse(torch.where(features.isnan(), 0.0, features), columns)["showers"]
    energies = transform.of_layers.sums(response["showers"])
    there = transform.of_layers.spread(energies) > 0  # an empty layer's cells have no shape
    assert torch.equal(back[there] > 0, response["showers"][there] > 0)
    assert torch.allclose(back[there], response["showers"][there], rtol=1e-4)
    again = transform.layer_energies(features, columns)
    assert torch.allclose(again, energies, rtol=1e-4)
    assert torch.equal(again > 0, energies > 0)


@pytest.mark.parametrize("thin", [[], [0], [0, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("missing", [0.0, 0.5, 1.0])
def test_energies_of_any_features_add_up_to_the_total(barrel, thin, missing):
    transform, _, columns = _fitted(barrel, 3)
    transform.single[thin] = True
    rng = torch.Generator().manual_seed(1)
    features = 5 * torch.randn((16, 271), generator=rng)
    dropped = torch.rand(features.shape, generator=rng) < missing
    features = torch.where(dropped, -torch.inf, features)
    features[:, 0] = 0.01
    energies = transform.layer_energies(features, columns)
    expected = columns[:, 0] * torch.tensor(0.01).exp()
    assert torch.allclose(energies.double().sum(1), expected.double(), rtol=1e-5)
    assert energies.min() >= 0
    some = torch.isfinite(features[:, 1:5]).any(dim=1)
    assert torch.all(energies[some][~torch.isfinite(features[some, 1:5])] == 0)


def test_an_empty_event_stays_empty(barrel):
    transform, _, columns = _fitted(barrel, 4)
    features = transform.forward({"showers": torch.zeros(1, 266)}, columns[:1])
    assert torch.all(features[0, :5] == -torch.inf)
    assert transform.layer_energies(features, columns[:1]).abs().max() == 0


def test_thin_layers_are_taken_by_their_normal_scores(barrel):
    events = load_sample("train")
    columns = torch.from_numpy(events.conditions.matrix(tuple(barrel.conditions)))
    response = {"showers": torch.from_numpy(events["showers"])}
    transform = PartsOfEnergy(barrel)
    transform.fit(response, columns)
    names = [
        layer.name for layer, thin in zip(barrel.layers, transform.single, strict=True) if thin
    ]
    assert names == ["presampler", "back"]
    features = transform.forward(response, columns)
    energies = transform.of_layers.sums(response["showers"])
    for layer, thin in enumerate(transform.single):
        seen = features[:, 1 + layer][energies[:, layer] > 0]
        if thin:
            assert seen.mean().item() == pytest.approx(0, abs=0.02)
        else:
            parts = energies[:, layer] / columns[:, 0]
            torch.testing.assert_close(seen.exp(), parts[parts > 0], rtol=1e-4, atol=0)
    again = transform.layer_energies(features, columns)
    torch.testing.assert_close(again, energies, rtol=1e-3, atol=1e-6)
