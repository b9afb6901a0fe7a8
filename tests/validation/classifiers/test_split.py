import numpy as np
import pytest

from simulacra.validation.classifiers.split import matched_split


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


@pytest.mark.parametrize(("n", "twins"), [(400, 100), (400, 399), (100, 100), (300, 200)])
def test_twins_share_a_part_whatever_the_sizes(n, twins):
    """400 reference and n generated events, of which some have conditions of their own."""
    reference, other = (np.random.default_rng(seed).random((400, 2)) for seed in (0, 1))
    for first in (False, True):
        samples = reference, np.concatenate([reference[:twins], other[: n - twins]])
        samples = samples[::-1] if first else samples
        sizes = [len(sample) for sample in samples]
        split = split_of(samples, tuple(np.zeros(size, int) for size in sizes))
        joined = np.concatenate(samples)[:, 0]
        seen = [set(joined[part]) for part in (split.train, split.held_out, split.test)]
        assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]
        assert len(split.train) == 2 * round(0.5 * n)
        for part in (split.train, split.held_out, split.test):
            assert 2 * np.sum(part < sizes[0]) == len(part)


@pytest.mark.parametrize("twins", [True, False])
def test_equal_sizes_are_cut_by_rank(twins):
    """All events twins, or none: results on record were made with this split."""
    reference, other = (np.random.default_rng(seed).random((300, 2)) for seed in (0, 1))
    groups, samples = np.arange(300) % 3, (reference, reference if twins else other)
    joined, rng = np.concatenate(samples), np.random.default_rng(0)
    _, inverse = np.unique(joined, axis=0, return_inverse=True)
    own, shared = rng.random(600), rng.random(inverse.max() + 1)
    tickets = shared[inverse.ravel()] if twins else own
    expected = [[], [], []]
    for rows in np.arange(600).reshape(2, 100, 3).transpose(0, 2, 1).reshape(6, 100):
        ordered = rows[np.argsort(tickets[rows])]
        for place, part in zip(expected, np.split(ordered, [50, 65]), strict=True):
            place += part.tolist()
    split = split_of(samples, (groups, groups))
    for part, rows in zip((split.train, split.held_out, split.test), expected, strict=True):
        assert part.tolist() == sorted(rows)


def test_the_generator_decides(mixture):
    first, second, other = (split_of(*mixture, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.train, second.train)
    assert not np.array_equal(first.train, other.train)


def test_no_common_energy_gives_empty_parts():
    one = np.zeros((5, 1))
    split = split_of((one, one), (np.zeros(5, int), np.ones(5, int)))
    assert len(split.train) == len(split.test) == 0
