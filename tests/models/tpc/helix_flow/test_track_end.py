"""Where tracks have clusters, end and turn."""

import math

import pytest
import torch

from simulacra.models.tpc.helix_flow.track_end import (
    Rates,
    drawn_passed,
    drawn_presence,
    drawn_turns,
    error_of_ends,
    error_of_presence,
    passed_rows,
)

ROWS = 159


def rates_of(n, rate, present=6.0):
    full = torch.ones(n, ROWS)
    return Rates(turns=full * math.log(rate), present=full * present)


def ends_of(n, rate):
    return torch.full((n, ROWS), math.log(rate))


def lifetimes(n):
    rng = torch.Generator().manual_seed(1)
    return torch.empty(n, 1).exponential_(generator=rng)


def test_a_constant_rate_ends_tracks_geometrically():
    n, rate = 20_000, 0.05
    passed = drawn_passed(ends_of(n, rate), lifetimes(n))
    expected = -math.expm1(-rate * ROWS) / -math.expm1(-rate)
    assert passed.sum(dim=1).mean().item() == pytest.approx(expected, rel=0.03)
    assert torch.all(passed.diff(dim=1) <= 0)
    present = drawn_presence(rates_of(n, rate), passed, torch.zeros(n, ROWS))
    assert torch.equal(present, passed)  # no holes where every row answers
    turned = drawn_turns(rates_of(n, rate), lifetimes(n))
    assert torch.equal(turned[:, :-1], 1 - passed[:, 1:])  # the same law, from there on


def test_holes_are_as_frequent_as_their_score_says_but_for_the_last_row():
    n = 2000
    white = torch.randn((n, ROWS), generator=torch.Generator().manual_seed(2))
    passed = drawn_passed(ends_of(n, 0.01), lifetimes(n))
    present = drawn_presence(rates_of(n, 0.01, present=1.0), passed, white)
    assert torch.equal(passed_rows(present), passed)
    before = passed[:, 1:].sum()
    found = (present.sum() - n) / before
    assert found.item() == pytest.approx(0.8413, abs=0.01)


def test_the_truth_is_likelier_than_other_rates():
    n, rate = 4000, 0.02
    white = torch.randn((n, ROWS), generator=torch.Generator().manual_seed(2))
    passed = drawn_passed(ends_of(n, rate), lifetimes(n))
    true = error_of_ends(ends_of(n, rate), passed)
    for other in (rate * 1.5, rate / 1.5):
        assert error_of_ends(ends_of(n, other), passed) > true
    present = drawn_presence(rates_of(n, rate, 1.0), passed, white)
    true = error_of_presence(rates_of(n, rate, 1.0), present, passed)
    for score in (0.8, 1.2, 6.0):
        assert error_of_presence(rates_of(n, rate, score), present, passed) > true


def test_tracks_without_a_cluster_pass_no_row():
    none = torch.zeros(3, ROWS)
    assert not drawn_presence(rates_of(3, 0.1), none, none).any()
