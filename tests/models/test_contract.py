"""One contract for every model of the catalogue: train, save, load, generate."""

import numpy as np
import pytest
import torch

from simulacra.models import MODELS
from simulacra.simulator import TrainedSimulator, train
from tests.conftest import SMALL_MODELS


def test_every_model_has_a_small_configuration():
    assert set(SMALL_MODELS) == set(MODELS)


@pytest.mark.parametrize("kind", MODELS)
def test_contract(kind, small_card, events, tmp_path):
    simulator = train(small_card(kind), tmp_path / "simulator")
    loaded = TrainedSimulator.load(tmp_path / "simulator")
    first = simulator.simulate(events.conditions, seed=3)
    again = loaded.simulate(events.conditions, seed=3)
    other = loaded.simulate(events.conditions, seed=4)
    for name, array in first.response.items():
        assert np.array_equal(array, again[name])
        assert not np.array_equal(array, other[name])
        assert np.all(np.isfinite(array))
        assert array.min() >= 0
    assert first.detector == loaded.detector == events.detector


@pytest.mark.parametrize("kind", MODELS)
def test_events_do_not_depend_on_how_many_are_asked_for(kind, small_card, events, tmp_path):
    simulator = train(small_card(kind, steps=2), tmp_path / "simulator")
    many = simulator.simulate(events.conditions, seed=3)
    few = simulator.simulate(events.conditions.take(slice(10)), seed=3)
    for name, array in few.response.items():
        assert np.allclose(array, many[name][:10], rtol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_training_leaves_the_global_random_state_alone(kind, small_card, tmp_path):
    before = torch.random.get_rng_state()
    train(small_card(kind, steps=2), tmp_path / "simulator")
    assert torch.equal(torch.random.get_rng_state(), before)
