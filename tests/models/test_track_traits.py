"""What tracks are like: drawn as likely as training said, each trait given those before."""

import pytest
import torch

from simulacra.models.track_dedx import BEGIN, OF_DEDX, TRUNCATION, EnergyLoss, log_truncated_mean
from simulacra.models.track_traits import OF_TRAITS, SIDES, SIZES, TrackTraits
from simulacra.observables.tracks import truncated_mean

TRACK = 3


def seeded(module, *arguments):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return module(*arguments).requires_grad_(False)


@pytest.fixture(scope="module")
def loss():
    return seeded(EnergyLoss, TRACK)


@pytest.fixture(scope="module")
def white():
    return torch.randn((20_000, OF_TRAITS), generator=torch.Generator().manual_seed(1))


def test_the_density_of_dedx_is_one_and_draws_are_distributed_so(loss, white):
    grid = torch.linspace(-8, 8, 4001)[:, None]
    density = (-loss.errors(torch.zeros(len(grid), TRACK), grid)).exp()[:, 0]
    assert torch.trapezoid(density, grid[:, 0]).item() == pytest.approx(1, abs=1e-3)
    drawn = loss.drawn(torch.zeros(len(white), TRACK), white[:, :OF_DEDX])[:, 0]
    for between in (sum(BEGIN[:2]) / 2, sum(BEGIN[1:]) / 2):
        expected = torch.trapezoid(density * (grid[:, 0] > between), grid[:, 0])
        assert (drawn > between).float().mean().item() == pytest.approx(expected.item(), abs=0.02)


def test_no_dedx_is_beyond_that_of_training(white):
    loss = seeded(EnergyLoss, TRACK)
    loss.fit(torch.tensor([-0.2, 0.1, 0.4]))
    drawn = loss.drawn(torch.zeros(len(white), TRACK), white[:, :OF_DEDX])
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


def test_traits_are_drawn_as_likely_as_their_errors_say(white):
    """The cross-entropy of draws is the entropy: no other distribution has a smaller one."""
    traits = seeded(TrackTraits, TRACK)
    track = torch.zeros(len(white), TRACK)
    seen, drawn = traits.drawn(track, white)
    assert drawn.log_size.shape == (len(white), SIDES)
    assert drawn.log_size.min() >= SIZES[0]
    sized = torch.ones(len(white), SIDES, dtype=torch.bool)
    errors = traits.losses(track, seen, drawn, sized)
    logits = traits.choices(track[:1])[0]
    assert seen.mean().item() == pytest.approx(logits[0].sigmoid().item(), abs=0.02)
    assert drawn.far.mean().item() == pytest.approx(logits[1].sigmoid().item(), abs=0.02)
    for far in (0.0, 1.0):
        chance = (logits[2] + far * logits[3]).sigmoid().item()
        here = drawn.far[:, 0] == far
        assert drawn.kinked[here].mean().item() == pytest.approx(chance, abs=0.02)
    moved = drawn._replace(log_size=drawn.log_size + 0.5, dedx=drawn.dedx + 0.5)
    others = traits.losses(track, seen, moved, sized)
    assert errors["size"] < others["size"]
    assert errors["dedx"] < others["dedx"]
