"""Orthonormal polynomials on the rows with a cluster."""

import pytest
import torch

from simulacra.models.track_polynomials import (
    combine,
    leverages,
    orthonormal_polynomials,
    project,
)

ROWS = 159
ORDERS = 10


@pytest.fixture
def rows():
    rng = torch.Generator().manual_seed(1)
    position = torch.linspace(0.85, 2.5, ROWS).expand(20, -1) ** 1.2
    present = (torch.rand((20, ROWS), generator=rng) < 0.8).float()
    present[5:10, 60:] = 0
    return position, present


def test_they_are_orthonormal_and_empty_where_there_is_nothing(rows):
    position, present = rows
    found = orthonormal_polynomials(position, present, ORDERS)
    assert torch.allclose(found @ found.mT, torch.eye(ORDERS).expand(20, -1, -1), atol=1e-4)
    assert torch.all(found.masked_select(present[:, None] == 0) == 0)


def test_polynomials_are_their_own_sum(rows):
    position, present = rows
    basis = orthonormal_polynomials(position, present, ORDERS)
    values = ((3 - 2 * position + position**4) * present)[:, None]
    assert torch.allclose(combine(basis, project(basis, values)), values, atol=1e-2)


def test_few_clusters_have_as_few_polynomials():
    position = torch.linspace(0, 1, ROWS).expand(5, -1)
    present = torch.zeros(5, ROWS)
    for track in range(5):
        present[track, :track] = 1
    basis = orthonormal_polynomials(position, present, ORDERS)
    assert torch.isfinite(basis).all()
    assert (basis != 0).any(dim=2).sum(dim=1).tolist() == [0, 1, 2, 3, 4]


def test_leverages_add_up_to_the_number_of_polynomials(rows):
    basis = orthonormal_polynomials(*rows, ORDERS)
    assert torch.allclose(leverages(basis).sum(dim=1), torch.tensor(float(ORDERS)), atol=1e-3)
