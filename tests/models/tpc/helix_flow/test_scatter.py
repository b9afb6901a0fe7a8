"""Three kinds of clusters: near, astray, dragged along."""

import pytest
import torch

from simulacra.models.tpc.helix_flow.scatter import Kinds, Residuals, Scatter, of_inner

ROWS = 50


def scatter_of(outlier, pulled, n=1):
    """Return a distribution, the same in every row."""
    constant = torch.ones(n, ROWS).double()
    return Scatter(
        location=0.5 * constant,
        scale=Residuals(0.6 * constant, 0.8 * constant),
        tilt=-0.2 * constant,
        outlier_scale=Residuals(2.0 * constant, 5.0 * constant),
        chances=Kinds(outlier * constant, pulled * constant),
        part=0.7 * constant,
        uncertain=0.2 * constant,
    )


def drawn_of(scatter, n, seed):
    rng = torch.Generator().manual_seed(seed)
    white = torch.randn((3, n, ROWS), generator=rng).double()
    kinds = scatter.kinds(white[2])
    return kinds, Residuals(white[0], white[1]), scatter.drawn(Residuals(white[0], white[1]), kinds)


def test_kinds_come_as_often_as_they_are_likely():
    scatter = scatter_of(-1.0, 0.5, 2000)
    kinds, _, _ = drawn_of(scatter, 2000, 1)
    _, outlier, pulled = torch.softmax(torch.tensor([0.0, -1.0, 0.5]), dim=0)
    assert kinds.outlier.mean().item() == pytest.approx(outlier.item(), abs=0.005)
    assert kinds.pulled.mean().item() == pytest.approx(pulled.item(), abs=0.005)
    assert (kinds.outlier * kinds.pulled).sum() == 0


def test_near_clusters_are_normal_and_tilted():
    scatter = scatter_of(-50.0, -50.0)
    _, scores, residuals = drawn_of(scatter, 1, 2)
    assert torch.allclose(residuals.z, 0.5 + 0.8 * scores.z)
    assert torch.allclose(residuals.r_phi, -0.2 * residuals.z + 0.6 * scores.r_phi)


def test_one_that_strays_drags_the_next_row_and_no_other():
    scatter = scatter_of(0.0, 0.0)
    kinds = Kinds(torch.zeros(1, ROWS).double(), torch.ones(1, ROWS).double())
    kinds.outlier[0, 20], kinds.pulled[0, 20] = 1, 0
    scores = Residuals(torch.ones(1, ROWS).double(), torch.ones(1, ROWS).double())
    residuals = scatter.drawn(scores, kinds)
    assert residuals.z[0, 20].item() == pytest.approx(0.5 + 5.8)
    assert residuals.r_phi[0, 20].item() == pytest.approx(2.6)
    assert residuals.z[0, 21].item() == pytest.approx(0.5 + 0.7 * 5.8 + 0.8 + 0.2 * 5.8)
    others = [row for row in range(ROWS) if row not in (20, 21)]
    assert torch.allclose(residuals.z[0, others], torch.tensor(1.3).double())


def test_density_is_normalised():
    scatter = scatter_of(-1.0, 0.0)
    inner = Residuals(torch.full((1, ROWS), 3.0).double(), torch.full((1, ROWS), -8.0).double())
    grid = torch.linspace(-45, 45, 601).double()
    r_phi, z = torch.meshgrid(grid, grid, indexing="ij")
    columns = [part.reshape(-1, 1).expand(-1, 1) for part in (r_phi, z)]
    one = Scatter(*_first_row(scatter))
    density = one.log_density(
        Residuals(*columns), Residuals(*(part[:, :1] for part in inner))
    ).exp()
    assert density.sum().item() * (grid[1] - grid[0]).item() ** 2 == pytest.approx(1, abs=1e-3)


def test_kinds_and_scores_of_what_was_drawn_are_found():
    scatter = scatter_of(-3.0, -2.0, 400)
    kinds, scores, residuals = drawn_of(scatter, 400, 3)
    rng = torch.Generator().manual_seed(4)
    below = torch.rand((400, ROWS), generator=rng).double()
    inner, found = scatter.found(residuals, torch.ones(400, ROWS).double(), below)
    outlier = of_inner(kinds.outlier * (residuals.z - 0.5))
    assert torch.corrcoef(torch.stack([inner.z.flatten(), outlier.flatten()]))[0, 1] > 0.9
    for mine, true in zip(found, scores, strict=True):
        assert mine.std().item() == pytest.approx(1, abs=0.03)
        near = (kinds.outlier + kinds.pulled == 0) & (true.abs() < 2)
        assert (mine - true)[near].abs().median() < 1e-6


def _first_row(value):
    if isinstance(value, torch.Tensor):
        return value[:, :1]
    parts = [_first_row(part) for part in value]
    return value._make(parts) if not isinstance(value, Scatter) else parts
