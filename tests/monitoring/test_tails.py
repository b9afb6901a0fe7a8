"""Probabilities that are computed too small or too large are corrected by fault-free windows."""

import numpy as np
import pytest

from simulacra.monitoring.deviations import Family
from simulacra.monitoring.tails import Calibration, Tail, any_of

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_a_power_of_a_probability_is_made_uniform_in_the_tail(power):
    tail = Tail.of(RNG.random(20_000) ** power, widen=False)
    corrected = np.array([tail.corrected(p) for p in RNG.random(20_000) ** power])
    for rate in (0.5, 0.1, 0.01):
        found = np.mean(corrected < rate)
        # a short tail is extrapolated as the computed probability falls: too few alarms
        assert found == pytest.approx(rate, rel=0.25) or (power < 1 and found < rate)


def test_corrections_that_only_widen_never_lower_a_probability():
    tail = Tail.of(RNG.random(500) ** 0.2, widen=True)
    assert all(tail.corrected(p) >= p for p in np.geomspace(1e-12, 1, 40))


def test_a_corrected_probability_rises_with_the_computed_one():
    tail = Tail.of(RNG.random(300), widen=False)
    corrected = [tail.corrected(p) for p in np.geomspace(1e-12, 1, 400)]
    assert np.all(np.diff(corrected) >= 0)
    assert corrected[-1] == 1


def test_the_least_of_correlated_families_with_long_tails_alarms_at_the_rate():
    def window():
        common = RNG.standard_normal()
        student = (RNG.standard_t(4, 30) + common) / np.sqrt(3)
        rare = np.where(RNG.random(200) < 1e-4, 4.0, 0.1)  # cells that are hardly ever hit
        return [
            Family("energy", "mean", "layer", student),
            Family("occupancy", "number", "place", rare),
        ]

    calibration = Calibration.of([window() for _ in range(1000)], widen=False)
    p = np.array([calibration.probability(calibration.stretched(window())) for _ in range(3000)])
    assert np.mean(p < 0.1) == pytest.approx(0.1, rel=0.3)
    assert np.mean(p < 0.01) == pytest.approx(0.01, rel=0.7)


def test_one_of_several_tests():
    assert any_of(0.01, 1) == pytest.approx(0.01)
    assert any_of(1e-12, 50) == pytest.approx(5e-11)
