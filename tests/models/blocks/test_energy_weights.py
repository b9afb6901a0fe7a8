"""Rare energies count more, and nothing changes where nothing is asked for."""

import pytest
import torch

from simulacra.models.blocks.energy_weights import EnergyWeights


def _weights(power):
    energies = torch.repeat_interleave(torch.tensor([-1.0, 0.0, 1.5]), torch.tensor([900, 90, 10]))
    balance = EnergyWeights(power)
    balance.fit(energies)
    weights = balance(energies)
    assert weights.mean().item() == pytest.approx(1)
    return [weights[energies == e] for e in (-1.0, 0.0, 1.5)]


def test_no_power_is_the_sample_itself():
    assert all(torch.all(weights == 1) for weights in _weights(0.0))


def test_full_power_makes_energies_equally_important():
    sums = [weights.sum().item() for weights in _weights(1.0)]
    assert sums == pytest.approx([1000 / 3] * 3, rel=1e-5)


@pytest.mark.parametrize("power", [0.3, 0.7])
def test_between_them_it_is_a_power(power):
    often, _, seldom = _weights(power)
    assert (seldom[0] / often[0]).item() == pytest.approx(90**power, rel=1e-5)


def test_energies_beyond_the_sample_have_a_weight():
    balance = EnergyWeights(1.0)
    balance.fit(torch.linspace(-1, 1, 100))
    assert torch.isfinite(balance(torch.tensor([-50.0, 50.0]))).all()
