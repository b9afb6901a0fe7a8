"""Orthonormal polynomials on the rows that a track passes."""

import pytest
import torch

from simulacra.models.tpc.helix_flow.polynomials import (
    combine,
    fitted,
    leverages,
    polynomial_table,
    project,
    smooth_and_rough,
)

ROWS = 159
ORDERS = 10
RADII = torch.linspace(0.85, 2.5, ROWS) ** 1.2


@pytest.fixture(scope="module")
def table():
    return polynomial_table(RADII, ORDERS)


def test_they_are_orthonormal_and_empty_beyond_the_last_row(table):
    for passed in (12, 60, ROWS):
        found = table[passed]
        assert torch.allclose(found @ found.mT, torch.eye(ORDERS), atol=1e-4)
        assert torch.all(found[:, passed:] == 0)


def test_few_rows_have_as_few_polynomials(table):
    assert torch.isfinite(table).all()
    assert (table[:5] != 0).any(dim=2).sum(dim=1).tolist() == [0, 1, 2, 3, 4]


def test_polynomials_are_their_own_sum(table):
    basis = table[[60, ROWS]]
    inside = (torch.arange(ROWS) < torch.tensor([[60], [ROWS]])).float()
    values = ((3 - 2 * RADII + RADII**4) * inside)[:, None]
    assert torch.allclose(combine(basis, project(basis, values)), values, atol=1e-2)


def test_missing_rows_do_not_change_what_is_fitted(table):
    rng = torch.Generator().manual_seed(1)
    present = (torch.rand((20, ROWS), generator=rng) < 0.8).float()
    present[:, -1] = 1
    basis = table[ROWS].expand(20, -1, -1)
    coefficients = torch.randn((20, 2, ORDERS), generator=rng)
    values = combine(basis, coefficients) * present[:, None]
    assert torch.allclose(fitted(basis, values, present), coefficients, atol=1e-2)


def test_leverages_add_up_to_the_number_of_polynomials(table):
    sums = leverages(table[ORDERS:]).sum(dim=1)
    assert torch.allclose(sums, torch.tensor(float(ORDERS)), atol=1e-3)


def test_a_track_is_its_polynomials_and_its_noise(table):
    rng = torch.Generator().manual_seed(1)
    basis = table[ROWS, :7].expand(40, -1, -1)
    noise = torch.randn((40, 1, ROWS), generator=rng)
    coefficients = torch.randn((40, 1, 7), generator=rng)
    track = smooth_and_rough(basis, coefficients, noise)
    assert torch.allclose(project(basis, track), coefficients, atol=1e-4)
    # what is left has the variance that the projection leaves
    rest = track - combine(basis, coefficients)
    left = (1 - leverages(basis)).sum().item()
    assert rest.square().sum().item() == pytest.approx(left, rel=0.05)
