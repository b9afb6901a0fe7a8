"""How much the clusters of a track scatter in each group of pads."""

import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.models.tpc.helix_flow.group_widths import GroupWidths


@pytest.fixture(scope="module")
def widths():
    return GroupWidths(load_detector("alice-tpc"))


def test_scores_get_the_width_that_is_drawn(widths):
    rng = torch.Generator().manual_seed(1)
    present = torch.ones(50, 159)
    present[:10, 64:] = 0  # one cluster in the second group, none in the third
    scores = torch.randn((50, 2, 159), generator=rng) * present[:, None]
    wanted = torch.randn((50, 2, widths.groups), generator=rng)
    found = widths.given(scores, present, wanted)
    known = widths.known(present)
    assert known[:10].tolist() == [[True, False, False]] * 10
    chosen = known[:, None].expand_as(wanted)
    assert torch.allclose(widths.log_widths(found, present)[chosen], wanted[chosen], atol=1e-4)
    assert torch.equal(found[:10, :, 63:], scores[:10, :, 63:])  # too few to have one


def test_independent_scores_have_none(widths):
    rng = torch.Generator().manual_seed(1)
    scores = torch.randn((4000, 1, 159), generator=rng)
    found = widths.log_widths(scores, torch.ones(4000, 159)).mean(dim=(0, 1))
    assert torch.allclose(found, torch.zeros(widths.groups), atol=0.02)


def test_levels_are_means_of_groups_and_stand_on_their_rows(widths):
    rng = torch.Generator().manual_seed(1)
    present = (torch.rand((50, 159), generator=rng) < 0.8).float()
    wanted = torch.randn((50, widths.groups), generator=rng)
    rows = widths.on_rows(wanted)
    assert torch.allclose(widths.levels(rows * present, present), wanted, atol=1e-5)
    noise = torch.randn((50, 159), generator=rng)
    centred = noise - widths.on_rows(widths.levels(noise * present, present))
    assert widths.levels(centred * present, present).abs().max() < 1e-5


def test_moments_are_those_of_the_noise(widths):
    rng = torch.Generator().manual_seed(1)
    white = torch.randn((3000, 1, 160), generator=rng)
    values = 5 + white[..., 1:] + 0.5 * white[..., :-1]
    present = torch.ones(3000, 159)
    correlations, log_widths = widths.moments(values, present).mean(dim=0)
    # of n values, n - 1 pairs; taking their mean out costs (1 + 2 rho) / n
    rho, n = 0.5 / (1 + 0.5**2), torch.tensor([63.0, 64.0, 32.0])
    assert torch.allclose(correlations, rho - (1 + 3 * rho) / n, atol=0.015)
    assert torch.allclose(log_widths, torch.full((3,), 1.25).log() / 2, atol=0.06)
    present[:, 63:127] = 0
    assert torch.equal(widths.moments(values, present)[:, 0, 1], torch.zeros(3000))
