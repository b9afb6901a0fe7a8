"""The sinh-arcsinh distribution in closed form."""

import math

import pytest
import torch

from simulacra.models.distributions.sinh_arcsinh import Chain, SinhArcsinh, asinh, asinh_of_scores

SHAPES = [(0.0, 0.0, 0.0, 0.0), (2.0, 1.0, 0.5, 0.3), (-1.0, -2.0, -0.7, -0.5)]


CHAINS = [SHAPES[:1], SHAPES[1:], [SHAPES[1], (0.3, -0.2, 0.4, 0.2), (-0.5, 0.1, 0.0, -0.3)]]


def chain(shapes):
    return Chain(tuple(of(*shape) for shape in shapes))


def of(location, log_scale, skew, log_tail):
    return SinhArcsinh(*(torch.tensor(x).double() for x in (location, log_scale, skew, log_tail)))


@pytest.mark.parametrize("shape", SHAPES)
def test_scores_of_values_are_the_scores(shape):
    scores = torch.linspace(-4, 4, 41).double()
    distribution = of(*shape)
    assert torch.allclose(distribution.scores(distribution.values(scores), 5.0), scores)


@pytest.mark.parametrize("shapes", CHAINS)
def test_a_chain_undoes_its_maps_in_turn(shapes):
    scores = torch.linspace(-4, 4, 41).double().requires_grad_(True)
    values = chain(shapes).values(scores)
    back, log_slope = chain(shapes).sloped_scores(values)
    assert torch.allclose(back, scores)
    assert torch.allclose(chain(shapes).scores(values, 5.0), scores)
    (slope,) = torch.autograd.grad(values.sum(), scores)
    assert torch.all(slope > 0)
    assert torch.allclose(log_slope, -slope.log())


@pytest.mark.parametrize("shape", SHAPES)
def test_density_is_the_normal_one_times_the_slope(shape):
    distribution = of(*shape)
    scores = torch.linspace(-3, 3, 31).double().requires_grad_(True)
    values = distribution.values(scores)
    (slope,) = torch.autograd.grad(values.sum(), scores)
    expected = -scores.square() / 2 - math.log(2 * math.pi) / 2 - slope.log()
    assert torch.allclose(distribution.log_density(values), expected)


def test_without_shape_it_is_normal():
    x = torch.linspace(-3, 3, 7).double()
    normal = torch.distributions.Normal(1.0, math.e)
    assert torch.allclose(of(1.0, 1.0, 0.0, 0.0).log_density(x), normal.log_prob(x))


def test_asinh_is_asinh():
    x = torch.tensor([-1e4, -3.0, -1e-4, 0.0, 1e-4, 2.0, 1e4]).double()
    assert torch.allclose(asinh(x), x.asinh(), rtol=1e-12)
    gradient = torch.func.vmap(torch.func.grad(asinh))(x[x != 0])
    assert torch.allclose(gradient, (x[x != 0].square() + 1).rsqrt())


def test_asinh_of_scores_is_asinh_however_far_the_scores_are():
    x = torch.tensor([-1e12, -1e6, -1490.0, -5.5, -1e-3, 0.0, 1e-3, 5.5, 1e6])
    assert torch.allclose(asinh_of_scores(x).double(), x.double().asinh(), atol=3e-7)
