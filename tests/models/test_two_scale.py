"""Distributions with two scales in closed form."""

import math

import pytest
import torch

from simulacra.models.two_scale import TwoScale, UpperTail, bend_slope, bent, unbent

SHAPES = [(0.0, 1.0, 2.5, 0.0), (0.3, 0.6, 1.5, 4.0), (-2.0, 0.1, 0.3, 8.0)]
LAWS = [law(*map(torch.tensor, shape)) for law in (TwoScale, UpperTail) for shape in SHAPES]
LAWS = [type(law)(*(part.double() for part in law)) for law in LAWS]


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


def test_without_reach_both_are_normal():
    x = torch.linspace(-3, 3, 7).double()
    normal = torch.distributions.Normal(0.0, 1.0)
    for law in (LAWS[0], LAWS[3]):
        assert torch.allclose(law.log_density(x), normal.log_prob(x))


def test_one_strays_to_both_sides_the_other_upwards():
    both, up = LAWS[1], LAWS[4]
    score = torch.tensor(3.5).double()
    assert both.values(score) - both.location == -(both.values(-score) - both.location)
    assert up.values(score) - up.location > 5 * up.scale * score
    assert abs(up.values(-score) - up.location) < 3 * up.scale * score


def test_bend_and_its_inverse():
    x, reach = torch.linspace(-5, 5, 21).double().requires_grad_(True), torch.tensor(3.0).double()
    assert torch.allclose(unbent(x + reach * bent(x), reach), x)
    (slope,) = torch.autograd.grad(bent(x).sum(), x)
    assert torch.allclose(slope, bend_slope(x))


def test_what_moves_also_widens():
    law = LAWS[1].moved(torch.tensor([0.0, 4.0]).double(), torch.tensor(0.5).double())
    assert law.location.tolist() == pytest.approx([0.3, 4.3])
    assert law.scale.tolist() == pytest.approx([0.6, math.hypot(0.6, 2.0)])
