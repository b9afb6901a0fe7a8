"""Scores, each given those before: both ways, and a density that is one."""

import math

import pytest
import torch

from simulacra.models.distributions.triangular_flow import TriangularFlow

SCORES, CONTEXT, LARGEST = 3, 2, 5.0


@pytest.fixture(scope="module")
def flow():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        found = TriangularFlow(SCORES, CONTEXT, 8, LARGEST)
        torch.nn.init.normal_(found.network[-1].weight, std=0.5)
    return found.requires_grad_(False).double()


@pytest.fixture(scope="module")
def noise():
    rng = torch.Generator().manual_seed(2)
    white = torch.randn((500, SCORES), generator=rng, dtype=torch.float64)
    return white / 2, torch.randn((500, CONTEXT), generator=rng, dtype=torch.float64)


def test_whitened_after_drawn_is_the_identity(flow, noise):
    white, context = noise
    scores = flow.drawn(white, context)
    inside = scores.abs().amax(dim=1) < LARGEST
    assert inside.double().mean() > 0.9
    back, _ = flow.whitened(scores, context)
    assert torch.allclose(back[inside], white[inside], atol=1e-6)


def test_errors_are_those_of_the_change_of_variables(flow, noise):
    white, context = (part[:5] for part in noise)
    scores = flow.drawn(white, context)
    _, errors = flow.whitened(scores, context)
    for place in range(len(white)):
        jacobian = torch.func.jacrev(lambda x, c=context[place]: flow.drawn(x[None], c[None])[0])
        log_volume = jacobian(white[place]).slogdet().logabsdet
        expected = (white[place].square().sum() + SCORES * math.log(2 * math.pi)) / 2 + log_volume
        assert errors[place].item() == pytest.approx(expected.item(), abs=1e-6)


def test_scores_depend_on_those_before_and_on_no_later_one(flow, noise):
    white, context = noise
    moved = white.clone()
    moved[:, 1] += 0.5
    change = (flow.drawn(moved, context) - flow.drawn(white, context)).abs().amax(dim=0)
    assert change[0] == 0
    assert change[1] > 0.1
    assert change[2] > 0.01


def test_an_untrained_flow_hardly_changes_white_noise():
    white = torch.randn((2000, SCORES), generator=torch.Generator().manual_seed(1))
    flow = TriangularFlow(SCORES, CONTEXT, 8, LARGEST).requires_grad_(False)
    scores = flow.drawn(white, torch.ones(2000, CONTEXT))
    assert torch.allclose(torch.corrcoef(scores.mT), torch.corrcoef(white.mT), atol=0.02)
    assert torch.equal(scores > 0, white > 0)
    assert (scores - white).abs().quantile(0.68) < 0.2
