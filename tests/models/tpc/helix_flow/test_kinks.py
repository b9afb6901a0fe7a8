"""Kinks: shapes that no polynomial takes, and the rows where they are."""

import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.models.tpc.helix_flow.kinks import SPACING, Kinks
from simulacra.models.tpc.helix_flow.polynomials import combine, fitted, polynomial_table

ROWS, ORDERS, CONTEXT = 159, 10, 4


@pytest.fixture(scope="module")
def radii():
    return torch.from_numpy(load_detector("alice-tpc").row_radii).float()


@pytest.fixture(scope="module")
def table(radii):
    return polynomial_table(radii, ORDERS)


@pytest.fixture(scope="module")
def kinks(radii, table):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Kinks(radii / 1000, table, CONTEXT)


def passing(*rows):
    return torch.stack([(torch.arange(ROWS) < count).float() for count in rows])


def test_shapes_are_orthonormal_to_the_polynomials(kinks, table):
    for last in (40, 100, 159):
        shapes, polynomials = kinks.shapes[last], table[last]
        assert (shapes @ polynomials.mT).abs().max() < 1e-5
        norms = shapes.norm(dim=1)[kinks.possible[last]]
        assert torch.allclose(norms, torch.ones_like(norms), atol=1e-5)
        assert (shapes[:, last:] == 0).all()
        assert not kinks.possible[last, last // SPACING :].any()


def test_a_bent_line_is_a_kink_and_nothing_else(kinks, table, radii):
    number, passed = torch.tensor([20]), passing(ROWS)
    bend = (radii - radii[(20 + 1) * SPACING]).clamp_min(0) / 10
    residuals = torch.stack([bend, -2 * bend])[None]
    polynomials = table[-1:]
    rough = residuals - combine(polynomials, fitted(polynomials, residuals, passed))
    assert torch.equal(kinks.found(rough, passed, passed), number)
    shape = kinks.shape(passed, number, torch.ones(1, 1))
    basis = torch.cat([polynomials, shape[:, None]], dim=1)
    left = residuals - combine(basis, fitted(basis, residuals, passed))
    assert left.abs().max() < 1e-3 * residuals.abs().max() < rough.abs().max()


def test_tracks_without_a_kink_have_no_shape_and_no_place(kinks):
    passed, number = passing(ROWS, 80), torch.tensor([5, 5])
    kinked = torch.tensor([[1.0], [0.0]])
    assert kinks.shape(passed, number, kinked)[1].abs().max() == 0
    place = kinks.place(passed, number, kinked)
    assert place[1].tolist() == [0, 0]
    assert place[0, 0] > 0.8


def test_kinks_are_drawn_as_likely_as_they_are_and_before_the_end(kinks):
    n = 4000
    passed = passing(60).expand(n, -1)
    context = torch.zeros(n, CONTEXT)
    white = torch.randn((n, 1), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        number = kinks.drawn(context, passed, white)
        every = torch.arange(kinks.possible.shape[1])
        chances = (-kinks.errors(context[: len(every)], passed[: len(every)], every)).exp()[:, 0]
    assert kinks.possible[60, number].all()
    found = torch.bincount(number, minlength=len(every)) / n
    assert torch.allclose(found, chances, atol=0.03)
    assert chances.sum().item() == pytest.approx(1, abs=1e-4)
