import numpy as np
import pytest

from simulacra.validation.split import matched_split


def split_of(conditions, groups, seed=0):
    return matched_split(conditions, groups, (0.5, 0.15), np.random.default_rng(seed))


@pytest.fixture
def mixture():
    """300 reference and 200 generated events of three energies, mixed differently."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 3, 300), rng.choice([-1, 0, 2], 200, p=[0.1, 0.7, 0.2])
    return tuple(rng.random((len(g), 2)) for g in groups), groups


def test_parts_are_disjoint_and_balanced_energy_by_energy(mixture):
    split = split_of(*mixture)
    group = np.concatenate(mixture[1])
    rows = np.concatenate([split.train, split.held_out, split.test])
    assert len(np.unique(rows)) == len(rows)
    for part in (split.train, split.held_out, split.test):
        generated = part >= 300
        for g in (-1, 0, 1, 2):
            counts = [np.sum(group[part][generated == side] == g) for side in (False, True)]
            assert counts[0] == counts[1]
            assert (counts[0] > 0) == (g in (0, 2))
    assert len(split.train) == pytest.approx(0.5 * len(rows), abs=3)


def test_twins_share_a_part():
    conditions = np.random.default_rng(0).random((400, 3))
    groups = np.zeros(400, int)
    order = np.random.default_rng(1).permutation(400)
    split = split_of((conditions, conditions[order]), (groups, groups))
    for part in (split.train, split.held_out, split.test):
        reference, generated = part[part < 400], part[part >= 400] - 400
        assert sorted(order[generated]) == sorted(reference)


def test_the_generator_decides(mixture):
    first, second, other = (split_of(*mixture, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.train, second.train)
    assert not np.array_equal(first.train, other.train)


def test_no_common_energy_gives_empty_parts():
    one = np.zeros((5, 1))
    split = split_of((one, one), (np.zeros(5, int), np.ones(5, int)))
    assert len(split.train) == len(split.test) == 0
