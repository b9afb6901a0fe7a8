import numpy as np
import pytest

from simulacra.validation.metrics.gaussianity import energy_distance, gaussianity


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_normal_numbers_are_at_the_baseline(rng):
    found = gaussianity(rng.standard_normal((1000, 5)), rng)
    baseline = found.baseline_distance
    assert len(found.distances) == 5
    assert max(found.distances) < baseline.value + 4 * baseline.error
    energy = found.baseline_energy_distance
    assert abs(found.energy_distance - energy.value) < 4 * energy.error


def test_dependence_shows_in_the_energy_distance_alone(rng):
    """Each number is normal, but the second is the first or its negative."""
    first = rng.standard_normal((1000, 1))
    numbers = np.concatenate([first, first * rng.choice([-1, 1], (1000, 1))], axis=1)
    found = gaussianity(numbers, rng)
    assert max(found.distances) < found.baseline_distance.value + 4 * found.baseline_distance.error
    energy = found.baseline_energy_distance
    assert found.energy_distance > energy.value + 10 * energy.error


def test_a_shift_shows_in_its_dimension(rng):
    """sup |Φ(x) - Φ(x - 1)| = 2 Φ(1/2) - 1 = 0.383."""
    found = gaussianity(rng.standard_normal((4000, 2)) + np.array([0.0, 1.0]), rng)
    assert found.distances[0] < 0.05
    assert found.distances[1] == pytest.approx(0.383, abs=0.03)


def test_energy_distance_of_two_points():
    x, y = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])
    assert energy_distance(x, y) == pytest.approx(10.0)
    assert energy_distance(x, x) == 0
