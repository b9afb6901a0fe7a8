"""One contract for every model of the catalogue: train, save, load, generate."""

import numpy as np
import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models import MODELS
from simulacra.models.surrogate import Surrogate
from simulacra.simulators.trained import TrainedSimulator, train
from tests.conftest import DETECTORS, SMALL_MODELS, small_sample


@pytest.fixture
def events(kind):
    """Of a detector that the model serves."""
    return small_sample(kind, 64)


def test_every_model_has_a_small_configuration():
    assert set(SMALL_MODELS) == set(MODELS)
    assert {entry.serves for entry in MODELS.values()} <= set(DETECTORS)


def assert_sensible(events):
    """What holds for every response of a detector, whatever the network has learned."""
    if events.detector.kind == "calorimeter":
        assert events["showers"].min() >= 0
        return
    if events.detector.kind == "jet-image":
        assert events["images"].min() >= 0
        return
    clusters, mask = events["clusters"], events["cluster_mask"]
    assert set(np.unique(mask)) <= {0, 1}
    assert not clusters[mask == 0].any()
    assert np.all(clusters[..., 3:] >= 0)


@pytest.mark.parametrize("kind", MODELS)
def test_contract(kind, small_card, events, tmp_path):
    simulator = train(small_card(kind), tmp_path / "simulator")
    loaded = TrainedSimulator.load(tmp_path / "simulator")
    first = simulator.simulate(events.conditions, seed=3, extrapolate=True)
    again = loaded.simulate(events.conditions, seed=3, extrapolate=True)
    other = loaded.simulate(events.conditions, seed=4, extrapolate=True)
    for name, array in first.response.items():
        assert np.array_equal(array, again[name])
        assert np.all(np.isfinite(array))
    assert any(not np.array_equal(array, other[name]) for name, array in first.response.items())
    assert_sensible(first)
    assert first.detector == loaded.detector == events.detector


@pytest.mark.parametrize("kind", MODELS)
def test_a_detector_of_another_kind_is_refused(kind):
    entry = MODELS[kind]
    names = {"tpc": "time-projection chamber", "jet-image": "jet image"}
    needed = names.get(entry.serves, entry.serves)
    other = load_detector("alice-tpc" if entry.serves == "calorimeter" else "atlas-barrel")
    with pytest.raises(CardError, match=f"model {kind} needs a {needed}, {other.name} is a"):
        Surrogate(entry, entry.Config(), other)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_events_do_not_depend_on_how_many_are_asked_for(kind, small_card, events, tmp_path):
    simulator = train(small_card(kind, steps=2), tmp_path / "simulator")
    many = simulator.simulate(events.conditions, seed=3, extrapolate=True)
    few = simulator.simulate(events.conditions.take(slice(10)), seed=3, extrapolate=True)
    for name, array in few.response.items():
        rounding = 1e-6 * np.abs(array).max()  # a position near zero is a difference of large ones
        assert np.allclose(array, many[name][:10], rtol=1e-5, atol=rounding)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_training_leaves_the_global_random_state_alone(kind, small_card, tmp_path):
    before = torch.random.get_rng_state()
    train(small_card(kind, steps=2), tmp_path / "simulator")
    assert torch.equal(torch.random.get_rng_state(), before)
