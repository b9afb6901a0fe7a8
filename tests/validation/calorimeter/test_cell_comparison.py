import numpy as np
import pytest

from simulacra.validation import Thresholds, apply_thresholds, measured, validate
from simulacra.validation.calorimeter.cell_comparison import compare_cells
from simulacra.validation.calorimeter.cells import cell_sums
from tests.validation.samples import halves, with_showers


def compared(reference, generated):
    return compare_cells(*(measured(s).summed(cell_sums) for s in (reference, generated)))


def test_a_sample_is_like_itself():
    events, _ = halves()
    found = compared(events, events)
    assert all(chi2.value == 0 for chi2 in found.profiles.values())
    assert (found.spectrum, found.missing) == (0.0, (0.0, 0.0))
    empty = np.mean(events["showers"] == 0)
    assert found.empty == pytest.approx((empty, empty))


@pytest.mark.slow
def test_chi2_of_equal_samples_is_one():
    profiles = [compared(*halves(16e3, seed)).profiles for seed in range(6)]
    assert len(profiles[0]) == 9  # along the shower, rows and columns of four layers
    values = [[chi2.value for chi2 in found.values()] for found in profiles]
    assert np.mean(values) == pytest.approx(1, abs=0.25)


def test_a_shifted_layer_shows_in_its_own_profile():
    reference, generated = halves()
    layer = generated.detector.layers[2]
    showers = generated["showers"].copy()
    grid = showers[:, layer.cells].reshape(-1, *layer.shape)
    showers[:, layer.cells] = np.roll(grid, 1, axis=1).reshape(len(showers), -1)
    profiles = compared(reference, with_showers(generated, showers)).profiles
    assert profiles[f"eta.{layer.name}"].value > 20
    assert profiles[f"phi.{layer.name}"].value < 5
    assert profiles["longitudinal"].value < 5


def test_a_dead_cell_is_the_missing_part_of_the_shower():
    events, _ = halves()
    cell = int(events["showers"].sum(axis=0).argmax())
    showers = events["showers"].copy()
    showers[:, cell] = 0
    shares = (events["showers"] / events.conditions["energy"][:, None]).sum(axis=0)
    found = compared(events, with_showers(events, showers))
    assert found.missing[0] == pytest.approx(shares[cell] / shares.sum(), rel=1e-4)
    assert found.missing[1] == 0
    assert found.empty[1] > found.empty[0]


@pytest.mark.slow
def test_limits():
    reference, generated = halves()
    showers = generated["showers"].copy()
    showers[:, int(showers.sum(axis=0).argmax())] = 0
    validation = validate(reference, with_showers(generated, showers))
    limits = Thresholds(profile_chi2=10, missing_cells=0.001)
    failures = apply_thresholds(validation, limits).thresholds.failures
    assert any(text.startswith("profile eta.middle: chi2/ndf is") for text in failures)
    assert any(text.startswith("part of the shower in dead cells") for text in failures)


def test_empty_showers_have_no_spectrum():
    events, _ = halves(16e3)
    found = compared(events, with_showers(events, np.zeros_like(events["showers"])))
    assert np.isnan(found.spectrum)
    assert found.missing[0] == pytest.approx(1)
    assert found.empty[1] == 1
