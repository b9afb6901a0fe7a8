import numpy as np
import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.transforms import ConditionEncoder, EncodedAndPhysical, TrackTables
from simulacra.transforms.tpc.tracks import (
    CHARGES,
    TABLE,
    filled,
    half_lengths,
    presence_of,
    table_rows,
)
from tests.tracks import clusters_of, conditions

DETECTOR = load_detector("alice-tpc")
NOTHING = torch.zeros(0)


def matrix(columns):
    """Columns as a tensor, in the detector's order."""
    return torch.tensor(np.stack([columns[n] for n in DETECTOR.conditions], 1)).float()


@pytest.fixture(scope="module")
def particles():
    return conditions(50, momentum=(150.0, 10_000.0), eta=0.8)


@pytest.fixture(scope="module")
def response(particles):
    columns = particles
    _, points, present = clusters_of(columns, smearing=(1.0, 1.0))
    charges = np.random.default_rng(3).lognormal(4, 1, (*present.shape, 2)) * present[..., None]
    clusters = np.concatenate([points, charges], axis=2)
    return {
        "clusters": torch.from_numpy(clusters).float(),
        "cluster_mask": torch.from_numpy(present).float(),
    }


@pytest.fixture(scope="module")
def transform(response):
    tables = TrackTables(DETECTOR)
    tables.fit(response, NOTHING)
    return tables


@pytest.mark.slow
def test_tables_lie_between_0_and_1_and_come_back(response, transform, particles):
    tables = transform.forward(response, NOTHING)
    assert tables.shape == (50, 160, 6)
    assert 0 <= tables.min() <= tables.max() <= 1
    back = transform.inverse(tables, matrix(particles))
    assert torch.equal(back["cluster_mask"], response["cluster_mask"])
    torch.testing.assert_close(back["clusters"], response["clusters"], rtol=1e-5, atol=2e-3)


def test_the_largest_charge_is_1(response, transform):
    tables = transform.forward(response, NOTHING)
    assert tables[..., TABLE[CHARGES]].amax(dim=(0, 1)).tolist() == [1.0, 1.0]


def test_empty_rows_lie_between_their_neighbours():
    clusters = torch.tensor([[0.0, 1.0, 0.0, 0.0, 4.0, 0.0, 0.0]])[..., None]
    present = torch.tensor([[False, True, False, False, True, False, False]])
    assert filled(clusters, present).flatten().tolist() == [1, 1, 2, 3, 4, 4, 4]
    alone = torch.tensor([[False, False, False, True, False, False, False]])
    assert filled(clusters + 5, alone).flatten().tolist() == [5] * 7
    assert not filled(torch.zeros(2, 7, 3), torch.zeros(2, 7, dtype=torch.bool)).any()


def test_an_ideal_track_stays_ideal_where_rows_are_missing():
    """Within a group of rows, a line between two clusters is near to a stiff track."""
    columns = conditions(20, momentum=(2000.0, 10_000.0), eta=0.3)
    _, points, present = clusters_of(columns)
    points, present = torch.from_numpy(points), torch.from_numpy(present)
    missing = torch.rand(present.shape, generator=torch.Generator().manual_seed(1)) < 0.1
    missing[:, [0, 62, 63, 126, 127, -1]] = False
    away = filled(torch.where(missing[..., None], 0.0, points), present & ~missing) - points
    assert away[present].abs().max() < 1


def test_a_row_without_presence_is_five_zeros(transform):
    tables = torch.rand((8, 160, 6), generator=torch.Generator().manual_seed(1))
    back = transform.inverse(tables, matrix(conditions(8, eta=0.5)))
    present = presence_of(tables)[:, :159] > 0.5
    assert torch.equal(back["cluster_mask"], present.float())
    assert not back["clusters"][~present].any()
    assert torch.all(back["clusters"][present][:, 3:] > 0)
    assert torch.all(back["clusters"][present][:, :3].abs() <= half_lengths(DETECTOR))


def test_the_box_holds_the_drum():
    assert half_lengths(DETECTOR).tolist() == pytest.approx([2466.0, 2466.0, 2500.0])


def test_rows_are_padded_to_a_multiple_of_16():
    rows = DETECTOR.pad_rows[0].model_copy(update={"rows": 33})
    short = DETECTOR.model_copy(update={"pad_rows": (rows,)})
    assert table_rows(short) == 48
    assert table_rows(DETECTOR) == 160


def test_events_without_a_cluster_have_a_transform():
    empty = {"clusters": torch.zeros(3, 159, 5), "cluster_mask": torch.zeros(3, 159)}
    tables = TrackTables(DETECTOR)
    tables.fit(empty, NOTHING)
    back = tables.inverse(tables.forward(empty, NOTHING), matrix(conditions(3)))
    assert not back["clusters"].any()


def test_physical_columns_stand_after_the_encoded_ones():
    columns = torch.tensor(np.stack(list(conditions(20).values()), axis=1), dtype=torch.float32)
    both, alone = EncodedAndPhysical(DETECTOR.conditions), ConditionEncoder(DETECTOR.conditions)
    both.fit(columns)
    alone.fit(columns)
    encoded, physical = both(columns).tensor_split([alone.features], dim=1)
    assert torch.equal(encoded, alone(columns))
    assert torch.equal(physical, columns)
    assert both.features == alone.features + 7
    assert both.names == alone.names
