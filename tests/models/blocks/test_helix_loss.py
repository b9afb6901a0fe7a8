import numpy as np
import pytest
import torch

from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.models.blocks.helix_loss import HelixLoss
from simulacra.transforms import TrackTables
from simulacra.transforms.tpc.tracks import PRESENCE, TABLE, half_lengths, presence_of
from tests.tracks import clusters_of, conditions

DETECTOR = load_detector("alice-tpc")


def _tables(columns, offset=0.0):
    _, points, present = clusters_of(columns)
    points[..., 2] += offset
    clusters = np.concatenate([points, np.zeros_like(points[..., :2])], axis=2)
    response = {
        "clusters": torch.from_numpy(clusters).float(),
        "cluster_mask": torch.from_numpy(present).float(),
    }
    return TrackTables(DETECTOR).forward(response, torch.zeros(0))


def _matrix(columns):
    return torch.tensor(np.stack([columns[n] for n in DETECTOR.conditions], 1)).float()


def test_ideal_tracks_lose_nothing_and_shifted_ones_the_square():
    columns = conditions(40, momentum=(150.0, 10_000.0))
    loss = HelixLoss(DETECTOR)
    assert loss(_tables(columns), _matrix(columns)).item() < 1e-8  # 0.1 mm in single precision
    shifted = loss(_tables(columns, offset=30.0), _matrix(columns)).item()
    assert shifted == pytest.approx(0.03**2, rel=1e-3)


def test_tracks_of_full_simulation_lose_what_their_clusters_do():
    """Rows without a cluster hold what tables carry on: 72 % of all squares, which do not count."""
    events = load_sample("test", "alice-tpc")
    columns = torch.from_numpy(events.conditions.matrix(tuple(DETECTOR.conditions)))
    response = {name: torch.from_numpy(array).float() for name, array in events.response.items()}
    tables = TrackTables(DETECTOR)
    tables.fit(response, columns)
    made = tables.forward(response, columns)
    loss = HelixLoss(DETECTOR)
    every_row = made.clone()
    every_row[..., TABLE[PRESENCE]] = 1.0
    assert loss(made, columns) < 0.35 * loss(every_row, columns)


def test_a_row_counts_as_much_as_it_is_present():
    columns = conditions(5, momentum=(5000.0, 10_000.0), eta=0.3)
    tables = _tables(columns, offset=30.0)
    half = tables.clone()
    half[:, :80, TABLE[PRESENCE]] = 0.5
    moved = half.clone()
    moved[:, :80, 2] -= 30.0 / 5000.0  # these lie on the helix, the others are 30 mm off
    loss, matrix = HelixLoss(DETECTOR), _matrix(columns)
    assert loss(half, matrix).item() == pytest.approx(0.03**2, rel=1e-3)
    assert loss(moved, matrix).item() == pytest.approx(0.03**2 * 79 / (79 + 40), rel=1e-3)


def test_only_rows_that_the_helix_crosses_count():
    """A track that leaves at the end plate, and one that curls back, lie well where they are."""
    columns = conditions(40, momentum=(150.0, 10_000.0), eta=1.3)
    tables = _tables(columns)
    beyond = presence_of(tables) == 0  # everything is found here, where there is anything
    assert 0.05 < beyond.float().mean() < 0.5
    tables[..., :3] = torch.where(beyond[..., None], 0.9, tables[..., :3])
    tables[..., TABLE[PRESENCE]] = 1.0
    assert HelixLoss(DETECTOR)(tables, _matrix(columns)).item() < 1e-8


def test_a_track_that_crosses_no_row_loses_nothing():
    columns = conditions(3, momentum=(10.0, 20.0))
    tables = torch.rand((3, 160, 6), generator=torch.Generator().manual_seed(1))
    assert HelixLoss(DETECTOR)(tables, _matrix(columns)).item() == 0


def test_gradients_are_finite_and_pull_positions_only():
    """Also of tracks that curl back inside of the chamber, or never reach it."""
    columns = conditions(60, momentum=(20.0, 400.0))
    columns["transverse_momentum"][0] = 1.0
    rng = torch.Generator().manual_seed(1)
    tables = torch.rand((60, 160, 6), generator=rng).requires_grad_(True)
    physical = _matrix(columns).requires_grad_(True)
    loss = HelixLoss(DETECTOR)(tables, physical)
    by_tables, by_columns = torch.autograd.grad(loss, (tables, physical))
    assert torch.isfinite(by_tables).all()
    assert torch.isfinite(by_columns).all()
    assert by_tables[..., :3].any()
    assert not by_tables[..., 3:].any()


def test_the_gradient_of_one_cluster_in_closed_form():
    columns = conditions(1, momentum=(5000.0, 10_000.0))
    tables = _tables(columns).requires_grad_(True)
    moved = tables + torch.tensor([0.0, 0.0, 0.01, 0.0, 0.0, 0.0])
    (gradient,) = torch.autograd.grad(HelixLoss(DETECTOR)(moved, _matrix(columns)), tables)
    length = half_lengths(DETECTOR)[2].item() / 1000  # m for half a unit of the table
    rows = int(presence_of(tables)[0].sum())
    expected = 2 * (0.01 * 2 * length) * 2 * length / rows
    torch.testing.assert_close(
        gradient[0, :rows, 2], torch.full((rows,), expected), rtol=1e-3, atol=0
    )
