import numpy as np
import pytest

from simulacra.validation.metrics.correlation import (
    correlation_matrix,
    largest_correlation_difference,
)
from simulacra.validation.metrics.neighbours import NEAREST, neighbourhoods


@pytest.fixture
def samples():
    return np.random.default_rng(0).normal(size=(2, 800, 4)).astype(np.float32)


def values(reference, generated):
    return [estimate.value for estimate in neighbourhoods(reference, generated)]


def test_disjoint_samples_have_nothing_in_common(samples):
    assert values(samples[0], samples[1] + 100) == [0, 0, 0, 0]


def test_equal_parents(samples):
    """Coverage is 1 - 2^-k for large samples of equal size (Naeem et al., section 3.3)."""
    precision, recall, density, coverage = values(*samples)
    assert precision == pytest.approx(recall, abs=0.05)
    assert density == pytest.approx(1, abs=0.1)
    assert coverage == pytest.approx(1 - 2**-NEAREST, abs=0.02)


def test_four_points_a_side_by_hand():
    """On a line: radii reach to the fifth neighbour, so both ends have the longest."""
    reference = np.arange(6.0)[:, None]
    generated = np.array([[0.5], [1], [2], [3], [4], [30]])
    precision, recall, density, coverage = values(reference, generated)
    assert precision == 5 / 6  # 30 is outside all balls
    assert recall == 1  # inside the ball around 30, which reaches to 0.5, or others
    assert coverage == 1
    assert density == pytest.approx(
        np.mean(np.abs(reference.T - generated) < [5, 4, 3, 3, 4, 5]) * 6 / 5
    )


def test_mode_collapse_leaves_precision_and_takes_recall_and_coverage(samples):
    collapsed = np.repeat(samples[1][:8], 100, axis=0)
    precision, recall, _, coverage = values(samples[0], collapsed)
    assert precision > 0.6
    assert recall < 0.02
    assert coverage < 0.1


def test_too_few_events_are_undefined(samples):
    assert np.all(np.isnan(values(samples[0][:NEAREST], samples[1])))


def test_a_turned_correlation_in_closed_form():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50_000, 2))
    mixed = np.stack([x[:, 0], 0.6 * x[:, 0] + 0.8 * x[:, 1], np.full(50_000, 3.3)], axis=1)
    assert correlation_matrix(mixed)[:2, :2] == pytest.approx(np.corrcoef(mixed[:, :2].T))
    assert np.all(correlation_matrix(mixed)[2] == 0)
    flipped = mixed * np.array([1.0, -1.0, 1.0])
    (result,) = largest_correlation_difference(mixed, flipped)
    assert abs(result.value - 1.2) < 5 * result.error
    assert result.error == pytest.approx(np.sqrt(2 / 50_000) * (1 - 0.36), rel=0.05)
    assert largest_correlation_difference(mixed, mixed)[0].value == 0
    assert np.isnan(largest_correlation_difference(mixed[:2], mixed)[0].value)
