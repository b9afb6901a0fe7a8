import numpy as np
import pytest

from simulacra.validation import validate
from simulacra.validation.metrics.correlation import correlated_names, correlations_of
from simulacra.validation.metrics.strata import Strata
from tests.validation.samples import halves


def gaussians(n, rho, seed, shift=0.0):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    return {"x": x + shift, "y": rho * x + np.sqrt(1 - rho**2) * y, "constant": np.full(n, 2.5)}


def everything(*samples):
    return [tuple(np.ones(len(s["x"]), bool) for s in samples)]


def test_coefficients_of_gaussians():
    a, b = gaussians(20_000, 0.6, 0), gaussians(10_000, 0.2, 1)
    found = correlations_of(("x", "y", "constant"), a, b, everything(a, b))
    assert found.reference[0, 1] == pytest.approx(0.6, abs=0.03)
    assert found.generated[0, 1] == pytest.approx(np.corrcoef(b["x"], b["y"])[0, 1])
    assert found.worst == ("x", "y")
    assert found.worst_difference == pytest.approx(-0.4, abs=0.05)
    assert np.all(found.reference[2] == 0)
    assert np.array_equal(found.reference, found.reference.T)


def test_the_expected_difference_is_that_of_equal_samples():
    differences, expected = [], []
    for seed in range(200):
        a, b = gaussians(100, 0.5, 2 * seed), gaussians(150, 0.5, 2 * seed + 1)
        found = correlations_of(("x", "y"), a, b, everything(a, b))
        differences.append(found.rms_difference**2)
        expected.append(found.expected_rms**2)
    assert np.mean(differences) == pytest.approx(np.mean(expected), rel=0.2)


def test_the_energy_itself_correlates_nothing():
    low, high = gaussians(5000, 0.0, 3), gaussians(5000, 0.0, 4, shift=100.0)
    both = {name: np.concatenate([low[name], high[name]]) for name in low}
    both["y"] = both["y"] + np.repeat([0.0, 100.0], 5000)
    is_low = np.arange(10_000) < 5000
    found = correlations_of(("x", "y"), both, both, [(is_low, is_low), (~is_low, ~is_low)])
    assert found.reference[0, 1] == pytest.approx(0, abs=0.03)


def test_broken_events_and_few_events_are_left_out():
    a = gaussians(50, 0.5, 0)
    broken = {name: values.copy() for name, values in a.items()}
    broken["x"][:3] = np.nan
    found = correlations_of(("x", "y"), a, broken, everything(a, broken))
    assert np.all(np.isfinite(found.generated))
    few = {name: values[:5] for name, values in a.items()}
    assert correlations_of(("x", "y"), few, few, everything(few, few)) is None


@pytest.mark.slow
def test_two_halves_of_geant4_agree():
    found = validate(*halves()).correlations
    assert found.rms_difference < 1.6 * found.expected_rms
    assert np.all(np.abs(found.reference) <= 1)


def test_of_many_observables_some_are_correlated():
    groups = {"depth": "depth"} | {
        f"{group}.{i}": group for group in ("layer_energy", "width_x") for i in range(45)
    }
    assert correlated_names(groups) == ("depth", *(f"layer_energy.{i}" for i in range(45)))


def test_undefined_values_count_as_the_mean():
    a = gaussians(4000, 0.8, 0)
    lacking = {name: values.copy() for name, values in a.items()}
    lacking["y"][::4] = np.nan
    found = correlations_of(("x", "y"), a, lacking, everything(a, lacking), optional=["y"])
    assert found.generated[0, 1] == pytest.approx(0.8 * np.sqrt(0.75), abs=0.03)
    lacking["y"][:] = np.nan
    found = correlations_of(("x", "y"), a, lacking, everything(a, lacking), optional=["y"])
    assert found.generated[0, 1] == 0


def test_the_expected_difference_holds_for_long_tails():
    differences, expected = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        samples = []
        for n in (300, 400):
            common, *own = rng.exponential(size=(3, n))
            samples.append({"x": common + own[0], "y": common + own[1]})
        found = correlations_of(("x", "y"), *samples, everything(*samples))
        differences.append(found.rms_difference**2)
        expected.append(found.expected_rms**2)
    gaussian = np.mean([(1 - found.reference[0, 1] ** 2) ** 2 * (1 / 300 + 1 / 400)])
    assert np.mean(differences) == pytest.approx(np.mean(expected), rel=0.3)
    assert np.mean(differences) > 1.3 * gaussian


def test_shared_conditions_make_the_expected_difference_smaller():
    differences, expected, independent = [], [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        place = rng.normal(size=(2, 300))  # of the impact: the same in both samples
        samples = [
            {"x": place[0] + 0.3 * rng.normal(size=300), "y": place[1] + 0.3 * rng.normal(size=300)}
            for _ in range(2)
        ]
        masks = everything(*samples)
        strata = Strata(np.arange(300), np.arange(300))
        found = correlations_of(("x", "y"), *samples, masks, strata=strata, rng=rng)
        differences.append(found.rms_difference**2)
        expected.append(found.expected_rms**2)
        independent.append(correlations_of(("x", "y"), *samples, masks).expected_rms ** 2)
    assert np.mean(differences) == pytest.approx(np.mean(expected), rel=0.35)
    assert np.mean(independent) > 3 * np.mean(expected)
