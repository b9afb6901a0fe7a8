"""Rare energies are drawn more often, and nothing changes where nothing is asked for."""

import numpy as np
import pytest
import torch

from simulacra.training.balance import energy_weights


def test_no_balance_is_the_sample_itself():
    energies = np.array([1.0, 1.0, 4.0, 100.0])
    assert np.all(energy_weights(energies, 0.0) == 1)


def test_full_balance_draws_each_energy_equally_often():
    energies = np.repeat([1.0, 4.0, 16.0], [900, 90, 10])
    weights = energy_weights(energies, 1.0)
    sums = [weights[energies == e].sum() for e in (1.0, 4.0, 16.0)]
    assert sums == pytest.approx([1000 / 3] * 3)


@pytest.mark.parametrize("balance", [0.3, 0.5])
def test_between_them_it_is_a_power(balance):
    energies = np.repeat([1.0, 4.0], [900, 100])
    weights = energy_weights(energies, balance)
    assert weights[-1] / weights[0] == pytest.approx(9**balance)
    assert weights.mean() == pytest.approx(1)


def test_a_log_uniform_sample_is_balanced_already():
    energies = 2 ** np.random.default_rng(1).uniform(0, 8, 40_000)
    weights = energy_weights(energies, 1.0)
    inner = (energies > 1.2) & (energies < 200)  # the outermost bins are half as wide
    assert weights[inner].std() < 0.1
    assert torch.from_numpy(weights).isfinite().all()
