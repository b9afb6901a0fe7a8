"""Flow matching learns what closed forms say, with both velocities."""

import math

import pytest
import torch

from simulacra.models.blocks.velocity import Velocity, nearest_pairs


def _velocity(mean_flow=False, features=2, width=32, depth=2):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Velocity(features, 1, width, depth, mean_flow=mean_flow)


@pytest.mark.parametrize("mean_flow", [False, True])
def test_untrained_it_moves_nothing(mean_flow):
    velocity = _velocity(mean_flow)
    rng = torch.Generator().manual_seed(1)
    noise, context = torch.randn((4000, 2), generator=rng), torch.zeros(4000, 1)
    assert torch.equal(velocity.transport(noise, context, 3), noise)
    # the mean square of the difference of two independent standard normal numbers
    assert velocity.errors(noise, context, rng).mean().item() == pytest.approx(2, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("mean_flow", "steps", "updates"), [(False, 4, 600), (True, 1, 1500)])
def test_learns_a_correlated_gaussian(mean_flow, steps, updates):
    """Two features with correlation 0.8 and a mean that follows the context."""
    velocity = _velocity(mean_flow)
    rng = torch.Generator().manual_seed(1)

    def draw(n, context):
        first, other = torch.randn((2, n), generator=rng)
        return torch.stack([first, 0.8 * first + 0.6 * other], 1) + context

    optimiser = torch.optim.Adam(velocity.parameters(), lr=4e-3)
    for step in range(updates):
        context = torch.randn((256, 1), generator=rng)
        loss = velocity.errors(draw(256, context), context, rng).mean()
        optimiser.param_groups[0]["lr"] = 4e-3 * (1 - step / updates)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    context = torch.full((8000, 1), 0.5)
    with torch.no_grad():
        sample = velocity.transport(torch.randn((8000, 2), generator=rng), context, steps)
    assert torch.allclose(sample.mean(0), torch.tensor(0.5), atol=0.15)
    assert torch.allclose(sample.std(0), torch.tensor(1.0), atol=0.15)
    assert torch.corrcoef(sample.T)[0, 1].item() == pytest.approx(0.8, abs=0.08)


def test_of_independent_normal_data_the_smallest_loss_is_half_pi():
    """Optimal is v = x (2t - 1) / (t^2 + (1-t)^2); its error, averaged over t, is pi / 2."""
    rng = torch.Generator().manual_seed(1)
    n = 200_000
    data, noise = torch.randn((2, n), generator=rng)
    t = torch.rand(n, generator=rng)
    x = torch.lerp(noise, data, t)
    best = x * (2 * t - 1) / (t.square() + (1 - t).square())
    assert (data - noise - best).square().mean().item() == pytest.approx(math.pi / 2, rel=0.01)


def test_pairs_are_a_permutation_and_near():
    rng = torch.Generator().manual_seed(1)
    data, noise = torch.randn((2, 64, 3), generator=rng)
    pairs = nearest_pairs(data, noise)
    assert torch.equal(pairs.sort().values, torch.arange(64))
    assert (data - noise[pairs]).square().sum() < (data - noise).square().sum()
    shuffled = torch.randperm(64, generator=rng)
    assert torch.equal(nearest_pairs(data, data[shuffled]), shuffled.argsort())
