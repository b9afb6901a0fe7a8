"""Where tracks have clusters, end and turn."""

import math

import pytest
import torch

from simulacra.models.track_fates import (
    Rates,
    drawn_presence,
    drawn_turns,
    error_of_presence,
    passed_rows,
)

ROWS = 159


def rates_of(n, rate, present=6.0):
    full = torch.ones(n, ROWS)
    return Rates(ends=full * math.log(rate), turns=full * math.log(rate), present=full * present)


def lifetimes(n):
    rng = torch.Generator().manual_seed(1)
    return torch.empty(n, 1).exponential_(generator=rng)


def test_a_constant_rate_ends_tracks_geometrically():
    n, rate = 20_000, 0.05
    drawn = drawn_presence(rates_of(n, rate), lifetimes(n), torch.zeros(n, ROWS))
    expected = -math.expm1(-rate * ROWS) / -math.expm1(-rate)
    assert drawn.present.sum(dim=1).mean().item() == pytest.approx(expected, rel=0.03)
    assert torch.all(drawn.present.diff(dim=1) <= 0)  # no holes where every row answers
    assert torch.equal(drawn.present, drawn.passed)
    turned = drawn_turns(rates_of(n, rate), lifetimes(n))
    assert torch.equal(turned[:, :-1], 1 - drawn.passed[:, 1:])  # the same law, from there on


def test_holes_are_as_frequent_as_their_score_says_but_for_the_last_row():
    n = 2000
    white = torch.randn((n, ROWS), generator=torch.Generator().manual_seed(2))
    drawn = drawn_presence(rates_of(n, 0.01, present=1.0), lifetimes(n), white)
    assert torch.equal(passed_rows(drawn.present), drawn.passed)
    before = drawn.passed[:, 1:].sum()
    found = (drawn.present.sum() - n) / before
    assert found.item() == pytest.approx(0.8413, abs=0.01)


def test_the_truth_is_likelier_than_other_rates():
    n, rate = 4000, 0.02
    white = torch.randn((n, ROWS), generator=torch.Generator().manual_seed(2))
    present = drawn_presence(rates_of(n, rate, 1.0), lifetimes(n), white).present
    true = error_of_presence(rates_of(n, rate, 1.0), present)
    for other in (rates_of(n, rate * 1.5, 1.0), rates_of(n, rate / 1.5, 1.0), rates_of(n, rate)):
        assert error_of_presence(other, present) > true
