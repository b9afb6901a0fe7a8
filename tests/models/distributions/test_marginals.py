"""Single distributions integrate to one, and scores and values are each other's inverse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulacra.models.distributions.marginals import (
    LARGEST_SCORE,
    Marginals,
    log_of_rest,
    logit_of,
    normal_score,
    parameters,
)
from simulacra.models.distributions.sinh_arcsinh import Chain, SinhArcsinh


def _marginals(n, occupancy=0.5, location=-2.0, scale=1.5, skew=0.4, tail=0.8, second=None):
    first = (location, math.log(scale), skew, math.log(tail))
    occupied, *numbers = (
        torch.full((n, 1), float(v), dtype=torch.float64)
        for v in (occupancy, *first, *(second or ()))
    )
    maps = [SinhArcsinh(*numbers[i : i + 4]) for i in range(0, len(numbers), 4)]
    return Marginals(occupied, Chain(tuple(maps)))


shapes = {
    "occupancy": st.floats(-5, 5),
    "location": st.floats(-10, 10),
    "scale": st.floats(0.1, 5),
    "skew": st.floats(-1, 1),
    "tail": st.floats(0.6, 1.6),
    "second": st.none()
    | st.tuples(st.floats(-1, 1), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-0.4, 0.4)),
}


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(**shapes)
def test_probabilities_add_up_to_one(**shape):
    u = torch.linspace(-9, 9, 200001).double()[:, None]
    y = shape["location"] + shape["scale"] * u.sinh()
    marginals = _marginals(len(y), **shape)
    density = (-marginals.negative_log_likelihood(y)).exp()[:, 0]
    something = torch.trapezoid(density, y[:, 0]).item()
    empty = (-_marginals(1, **shape).negative_log_likelihood(torch.full((1, 1), -torch.inf))).exp()
    assert empty.item() == pytest.approx(1 / (1 + math.exp(shape["occupancy"])))
    assert something + empty.item() == pytest.approx(1, abs=2e-3)


@settings(max_examples=30, deadline=None)
@given(**shapes)
def test_scores_and_back(**shape):
    scores = torch.linspace(-4.5, 4.5, 1001).double()[:, None]
    marginals = _marginals(len(scores), **shape)
    values, clarity = marginals.values(scores)
    full = clarity > 0
    values = torch.where(full, values, -torch.inf)
    back = marginals.scores(values, torch.Generator().manual_seed(1))
    assert torch.allclose(back[full], scores[full], atol=1e-3)
    # what is empty gets a random score below all others
    if full.any() and (~full).any():
        assert back[~full].max() <= scores[full].min() + 1e-2


def test_scores_of_samples_are_standard_normal():
    rng = np.random.default_rng(1)
    n = 40_000
    marginals = _marginals(n)
    normal = rng.normal(size=(n, 1))
    y = -2.0 + 1.5 * np.sinh((np.arcsinh(normal) + 0.4) / 0.8)
    y = torch.from_numpy(np.where(rng.random((n, 1)) < 1 / (1 + math.exp(-0.5)), y, -np.inf))
    scores = marginals.scores(y, torch.Generator().manual_seed(1))[:, 0].numpy()
    # the map to normal scores is Page's, within 1.4e-4 of the normal distribution
    assert stats.kstest(scores, "norm").statistic < 1.4e-4 + 1.95 / math.sqrt(n)


def test_of_a_value_that_follows_from_others_only_its_presence_is_learned():
    rng = np.random.default_rng(2)
    n = 40_000
    marginals = _marginals(n)
    there = rng.random((n, 1)) < 1 / (1 + math.exp(-0.5))
    given_otherwise = torch.from_numpy(np.where(there, np.inf, -np.inf))
    scores = marginals.scores(given_otherwise, torch.Generator().manual_seed(1))[:, 0].numpy()
    assert stats.kstest(scores, "norm").statistic < 1.4e-4 + 1.95 / math.sqrt(n)
    assert scores[there[:, 0]].min() > scores[~there[:, 0]].max() - 1e-3
    likelihood = marginals.negative_log_likelihood(given_otherwise)
    assert likelihood[there].numpy() == pytest.approx(math.log1p(math.exp(-0.5)))


def test_values_grow_with_scores():
    scores = torch.linspace(-5.4, 5.4, 500).double()[:, None]
    values, clarity = _marginals(len(scores)).values(scores)
    full = clarity[:, 0] > 0
    assert torch.all(values[full].diff(dim=0) > 0)
    assert torch.all(clarity.diff(dim=0) > 0)


def test_normal_score_inverts_the_cubic():
    z = torch.linspace(-LARGEST_SCORE, LARGEST_SCORE, 999).double()
    assert torch.allclose(normal_score(logit_of(z)), z, atol=1e-9)


def test_log_of_rest():
    p = torch.tensor([1e-12, 0.3, 0.999]).double()
    assert torch.allclose(log_of_rest(p.log()), (1 - p).log())


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.1, 10.0, 1e4, 1e30]), st.sampled_from([1, 2]))
def test_wild_outputs_stay_finite(seed, size, maps):
    rng = torch.Generator().manual_seed(seed)
    outputs = (size * torch.randn((20, 7, parameters(maps)), generator=rng)).clamp(-1e30, 1e30)
    outputs.requires_grad_(True)
    marginals = Marginals.of(outputs, torch.zeros(7), torch.ones(7), torch.zeros(7))
    y = torch.randn((20, 7), generator=rng)
    y = torch.where(torch.rand(y.shape, generator=rng) < 0.3, -torch.inf, y)
    loss = marginals.negative_log_likelihood(y)
    (gradient,) = torch.autograd.grad(loss.mean(), outputs)
    scores = marginals.scores(y, rng)
    _, clarity = marginals.values(scores * 3)
    for tensor in (loss, gradient, scores, clarity):
        assert torch.isfinite(tensor).all()


def test_outputs_of_zero_for_the_second_map_leave_the_first():
    outputs = torch.randn((50, 3, 9), generator=torch.Generator().manual_seed(1))
    outputs[..., 5:] = 0
    scales = torch.zeros(3), torch.ones(3), torch.zeros(3)
    both, first = (Marginals.of(x, *scales) for x in (outputs, outputs[..., :5]))
    scores = torch.randn((50, 3), generator=torch.Generator().manual_seed(2))
    assert torch.allclose(both.values(scores)[0], first.values(scores)[0], rtol=1e-5, atol=1e-5)
