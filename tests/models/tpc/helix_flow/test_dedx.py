"""Truncated dE/dx: drawn as its density says, and the mean of the lowest charges."""

import pytest
import torch

from simulacra.models.tpc.helix_flow.dedx import BEGIN, OF_DEDX, EnergyLoss, log_truncated_mean
from simulacra.observables.tpc.tracks import truncated_mean
from simulacra.observables.tpc.tracks_against_helices import TRUNCATION

FEATURES = 3


def seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return EnergyLoss(FEATURES).requires_grad_(False)


@pytest.fixture(scope="module")
def loss():
    return seeded()


@pytest.fixture(scope="module")
def white():
    return torch.randn((20_000, OF_DEDX), generator=torch.Generator().manual_seed(1))


def test_the_density_of_dedx_is_one_and_draws_are_distributed_so(loss, white):
    grid = torch.linspace(-8, 8, 4001)[:, None]
    density = (-loss.errors(torch.zeros(len(grid), FEATURES), grid)).exp()[:, 0]
    assert torch.trapezoid(density, grid[:, 0]).item() == pytest.approx(1, abs=1e-3)
    drawn = loss.drawn(torch.zeros(len(white), FEATURES), white)[:, 0]
    for between in (sum(BEGIN[:2]) / 2, sum(BEGIN[1:]) / 2):
        expected = torch.trapezoid(density * (grid[:, 0] > between), grid[:, 0])
        assert (drawn > between).float().mean().item() == pytest.approx(expected.item(), abs=0.02)


def test_no_dedx_is_beyond_that_of_training(white):
    loss = seeded()
    loss.fit(torch.tensor([-0.2, 0.1, 0.4]))
    drawn = loss.drawn(torch.zeros(len(white), FEATURES), white)
    assert drawn.min() >= -0.2
    assert drawn.max() <= 0.4


def test_the_truncated_mean_is_that_of_sorted_values():
    rng = torch.Generator().manual_seed(1)
    values = 5 + torch.randn((300, 159), generator=rng)
    chances = torch.rand((300, 1), generator=rng)
    present = (torch.rand(values.shape, generator=rng) < chances).float()
    present[0], present[1] = 0, torch.eye(159)[3]
    found = log_truncated_mean(values, present)[:, 0].exp()
    expected = truncated_mean(values.exp().numpy(), present.numpy() > 0, TRUNCATION, 1)
    assert found[0] == 1
    assert found[1:].numpy() == pytest.approx(expected[1:], rel=3e-4)


def test_tracks_of_more_charge_have_as_much_more_dedx():
    values = torch.randn((5, 40), generator=torch.Generator().manual_seed(1))
    present = torch.ones_like(values)
    more = torch.tensor([[0.0], [1.0], [-1.0], [3.0], [0.1]])
    change = log_truncated_mean(values + more, present) - log_truncated_mean(values, present)
    assert torch.allclose(change, more, atol=1e-3)


def test_the_truth_is_likelier_than_what_is_moved(loss, white):
    features = torch.zeros(len(white), FEATURES)
    drawn = loss.drawn(features, white)
    true = loss.errors(features, drawn).mean()
    assert loss.errors(features, drawn + 0.5).mean() > true
    assert loss.errors(features, drawn - 0.5).mean() > true


def test_wild_charges_have_a_mean():
    """None of whose exponentials single precision holds."""
    values = 1e3 * torch.randn((50, 12), generator=torch.Generator().manual_seed(1))
    found = log_truncated_mean(values, torch.ones_like(values))
    assert torch.isfinite(found).all()
    assert (found <= values.max(dim=1, keepdim=True).values).all()
