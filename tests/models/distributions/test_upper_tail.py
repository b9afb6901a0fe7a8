"""A normal distribution with an upper tail in closed form."""

import math

import pytest
import torch

from simulacra.models.distributions.upper_tail import UpperTail, bend_slope, bent, unbent

SHAPES = [(0.0, 1.0, 2.5, 0.0), (0.3, 0.6, 1.5, 4.0), (-2.0, 0.1, 0.3, 8.0)]
LAWS = [UpperTail(*(torch.tensor(part).double() for part in shape)) for shape in SHAPES]


@pytest.mark.parametrize("law", LAWS)
def test_scores_of_values_are_the_scores(law):
    scores = torch.linspace(-4, 4, 41).double()
    assert torch.allclose(law.scores(law.values(scores), 5.0), scores, atol=1e-9)


@pytest.mark.parametrize("law", LAWS)
def test_density_is_the_normal_one_times_the_slope(law):
    scores = torch.linspace(-3.95, 4, 42).double().requires_grad_(True)
    values = law.values(scores)
    (slope,) = torch.autograd.grad(values.sum(), scores)
    assert torch.all(slope > 0)
    expected = -scores.square() / 2 - math.log(2 * math.pi) / 2 - slope.log()
    assert torch.allclose(law.log_density(values), expected)


@pytest.mark.parametrize("law", LAWS)
def test_density_is_normalised(law):
    edges = law.values(torch.linspace(-8, 8, 200_001).double())
    middles = (edges[1:] + edges[:-1]) / 2
    assert (law.log_density(middles).exp() * edges.diff()).sum().item() == pytest.approx(
        1, abs=1e-6
    )


def test_without_reach_it_is_normal():
    x = torch.linspace(-3, 3, 7).double()
    normal = torch.distributions.Normal(0.0, 1.0)
    assert torch.allclose(LAWS[0].log_density(x), normal.log_prob(x))


def test_values_stray_upwards():
    law, score = LAWS[1], torch.tensor(3.5).double()
    assert law.values(score) - law.location > 5 * law.scale * score
    assert abs(law.values(-score) - law.location) < 3 * law.scale * score


def test_bend_and_its_inverse():
    x, reach = torch.linspace(-5, 5, 21).double().requires_grad_(True), torch.tensor(3.0).double()
    assert torch.allclose(unbent(x + reach * bent(x), reach), x)
    (slope,) = torch.autograd.grad(bent(x).sum(), x)
    assert torch.allclose(slope, bend_slope(x))
