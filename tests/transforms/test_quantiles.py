"""Maps by quantiles are monotone, invertible and flatten sharp features."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulacra.errors import EventsError
from simulacra.transforms.quantiles import piecewise_linear, quantile_knots


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 40))
def test_there_and_back(seed, number):
    rng = torch.Generator().manual_seed(seed)
    sample = torch.randn(50, generator=rng).double().round(decimals=1)  # with equal values
    knots, scores = (k[None] for k in quantile_knots(sample, number))
    x = torch.linspace(-6, 6, 200).double()[:, None]
    y = piecewise_linear(x, knots, scores)
    assert torch.all(y.diff(dim=0) > 0)
    assert torch.allclose(piecewise_linear(y, scores, knots), x, atol=1e-9)
    assert torch.allclose(piecewise_linear(knots.T, knots, scores), scores.T, atol=1e-9)


def test_equal_values_at_either_end_count_once():
    sample = torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0]).double()
    knots, scores = (k[None] for k in quantile_knots(sample, 7))
    x = torch.tensor([-1.0, 0.0, 1.0, 2.0, 3.0]).double()[:, None]
    y = piecewise_linear(x, knots, scores)
    assert torch.all(y.diff(dim=0) > 0)
    assert torch.allclose(piecewise_linear(y, scores, knots), x)


def test_agrees_with_numpy_between_the_knots():
    knots = torch.tensor([[0.0, 1.0, 3.0, 3.5]]).double()
    values = torch.tensor([[-1.0, 2.0, 2.5, 9.0]]).double()
    x = torch.linspace(0, 3.5, 100).double()[:, None]
    expected = np.interp(x[:, 0], knots[0], values[0])
    assert np.allclose(piecewise_linear(x, knots, values)[:, 0], expected)


def test_scores_are_normal_whatever_the_edges():
    rng = np.random.default_rng(1)
    sample = torch.from_numpy(np.where(rng.random(50_000) < 0.2, rng.random(50_000), 1.0))
    sample = sample + torch.from_numpy(rng.exponential(0.01, 50_000))
    knots, scores = (k[None] for k in quantile_knots(sample, 64))
    found = piecewise_linear(sample[:, None], knots, scores)[:, 0].numpy()
    assert stats.kstest(found, "norm").statistic < 0.02


def test_a_constant_has_no_quantiles():
    with pytest.raises(EventsError, match="different values"):
        quantile_knots(torch.ones(10), 4)
