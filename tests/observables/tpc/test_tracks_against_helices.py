"""Observables of tracks: definitions on made-up clusters, statistics on smeared helices."""

import numpy as np
import pytest

from simulacra.observables import observables_of, observe, selection_groups
from simulacra.observables.tpc.helix_fit import FEWEST_CLUSTERS
from simulacra.observables.tpc.tracks import lag_correlation, truncated_mean
from tests.tracks import changed, tracks


def observed(events):
    return observe(events, observables_of(events.detector))


@pytest.fixture(scope="module")
def exact():
    return tracks(200, smearing=(0.0, 0.0))


@pytest.fixture(scope="module")
def smeared():
    return tracks(400, smearing=(0.6, 0.8), momentum=(2000.0, 10_000.0), eta=0.6)


@pytest.fixture(scope="module")
def values(smeared):
    return observed(smeared)


def rows_only(events, rows):
    """Every track with clusters in these rows only."""
    mask = np.zeros_like(events["cluster_mask"])
    mask[:, rows] = 1
    return changed(events, mask=mask)


def test_names_and_primary_observable(exact):
    observables = observables_of(exact.detector)
    names = [o.name for o in observables]
    assert names[0] == "rmse_true"
    assert len(set(names)) == len(names) < 60
    assert {f"charge.{p.name}" for p in exact.detector.pad_rows} <= set(names)
    groups = {o.group for o in observables}
    for group in selection_groups(exact.detector):
        assert any(g == group or g.startswith(f"{group}_") for g in groups)


def test_exact_helices_have_no_residuals(exact):
    found = observed(exact)
    for name in ("rmse_true", "rmse_fitted", "width_r_phi.inner", "width_z.outermost"):
        np.testing.assert_allclose(found[name], 0, atol=2e-3)  # single precision on disk
    np.testing.assert_allclose(found["curvature_error"], 0, atol=1e-3)
    np.testing.assert_allclose(found["slope_error"], 0, atol=1e-5)


def test_residuals_have_the_width_they_were_given(values):
    assert values["rmse_true"].mean() == pytest.approx(np.hypot(0.6, 0.8 * 0.94), rel=0.02)
    for region in ("inner", "outer", "outermost"):
        r_phi, z = (np.sqrt(np.mean(values[f"width_{a}.{region}"] ** 2)) for a in ("r_phi", "z"))
        assert r_phi == pytest.approx(0.6, rel=0.06)  # less what the fit takes up
        assert z == pytest.approx(0.8, rel=0.03)
        for axis in ("r_phi", "z"):
            shift = values[f"shift_{axis}.{region}"]
            assert abs(shift.mean()) < 5 * shift.std() / np.sqrt(len(shift))
    for name in ("q", "r_phi_true", "z_true"):
        assert abs(values[f"correlation_{name}"].mean()) < 0.03
    assert np.all(values["rmse_fitted"] < values["rmse_true"])


def test_a_shift_of_z_is_the_shift_of_z(smeared, values):
    clusters = smeared["clusters"].copy()
    clusters[..., 2] += 2.0
    found = observed(changed(smeared, clusters))
    for region in ("inner", "outer", "outermost"):
        difference = found[f"shift_z.{region}"] - values[f"shift_z.{region}"]
        np.testing.assert_allclose(difference, 2.0, atol=1e-3)
        np.testing.assert_allclose(
            found[f"shift_r_phi.{region}"], values[f"shift_r_phi.{region}"], atol=1e-6
        )
    np.testing.assert_allclose(found["rmse_fitted"], values["rmse_fitted"], atol=2e-3)
    assert found["rmse_true"].mean() > 1.5 * values["rmse_true"].mean()


def test_turning_everything_changes_nothing(smeared, values):
    """Rotations about the beam are a symmetry of every observable."""
    angle = 1.234
    cos, sin = np.cos(angle), np.sin(angle)
    clusters = smeared["clusters"].astype(np.float64)
    x, y = clusters[..., 0].copy(), clusters[..., 1].copy()
    clusters[..., 0], clusters[..., 1] = x * cos - y * sin, x * sin + y * cos
    columns = {k: v.astype(np.float64) for k, v in smeared.conditions.columns.items()}
    x, y = columns["vertex_x"], columns["vertex_y"]
    columns |= {"vertex_x": x * cos - y * sin, "vertex_y": x * sin + y * cos}
    columns["phi"] = (columns["phi"] + angle + np.pi) % (2 * np.pi) - np.pi
    turned = changed(smeared, clusters)
    turned = type(turned)(type(turned.conditions)(columns), turned.response, turned.detector)
    found = observed(turned)
    for name, array in values.items():
        scale = 1e-3 * max(np.abs(array).max(), 1e-3)
        np.testing.assert_allclose(found[name], array, atol=scale, rtol=2e-3, err_msg=name)


def test_patterns_of_rows(exact):
    found = observed(rows_only(exact, [2, 3, 7, 8, 70, 140]))
    for name, expected in {
        "clusters": 6,
        "first_row": 2,
        "last_row": 140,
        "holes": 133,
        "longest_gap": 69,
        "region_clusters.inner": 4,
        "region_clusters.outer": 1,
        "region_clusters.outermost": 1,
    }.items():
        assert np.all(found[name] == expected), name
    whole = observed(rows_only(exact, slice(None)))
    assert np.all(whole["holes"] == 0)
    assert np.all(whole["longest_gap"] == 0)


def test_tracks_without_clusters_are_undefined_and_nothing_else(exact):
    few = rows_only(exact, slice(0, FEWEST_CLUSTERS - 1))
    none = rows_only(exact, slice(0, 0))
    found, missing = observed(few), observed(none)
    for name in ("rmse_fitted", "dedx", "curvature_error", "correlation_q", "charge.outer"):
        assert np.isnan(found[name]).all(), name
        assert np.isnan(missing[name]).all(), name
    assert np.isfinite(found["rmse_true"]).all()
    assert np.all(missing["clusters"] == 0)
    assert np.all(missing["found_share"] == 0)
    optional = {o.name for o in observables_of(exact.detector) if o.optional}
    assert {name for name, array in missing.items() if np.isnan(array).any()} <= optional


def test_findable_rows_are_those_that_the_helix_crosses():
    events = tracks(300, momentum=(100.0, 400.0), smearing=(0.0, 0.0))
    found = observed(events)
    assert found["last_row"].min() < 75  # some curl back in the chamber
    assert np.nanmedian(found["found_share"]) == pytest.approx(0.98, abs=0.01)


def test_dedx_is_the_truncated_charge_over_the_path():
    events = tracks(50, momentum=(9000.0, 9001.0))
    clusters = events["clusters"].copy()
    pitch = np.repeat([7.5, 10.0, 15.0], [63, 64, 32])
    slope = np.cosh(events.conditions["pseudorapidity"])[:, None]
    clusters[..., 3] = 5.0 * pitch * slope
    found = observed(changed(events, clusters))
    np.testing.assert_allclose(found["dedx"], 5.0, rtol=2e-3)  # almost radial
    clusters[:, ::3, 3] *= 100  # a third of the clusters, which the truncation leaves out
    np.testing.assert_allclose(
        observed(changed(events, clusters))["dedx"], found["dedx"], rtol=5e-3
    )


def test_truncated_mean_takes_the_lowest():
    values = np.array([[5.0, 1.0, 9.0, 3.0, 7.0, 100.0]])
    chosen = np.array([[True] * 5 + [False]])
    assert truncated_mean(values, chosen, 0.6, 5)[0] == 3.0
    assert np.isnan(truncated_mean(values, chosen, 0.6, 6)[0])


def test_charge_ratio_and_spread(values):
    assert np.nanmean(values["charge_ratio.outer"]) == pytest.approx(0.3, rel=0.01)
    assert np.nanmean(values["charge_spread.inner"]) == pytest.approx(0.3, rel=0.03)


def test_lag_correlation_of_a_known_process():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((400, 159))
    process = noise.copy()
    for i in range(1, 159):
        process[:, i] = 0.8 * process[:, i - 1] + 0.6 * noise[:, i]
    chosen = rng.random(noise.shape) > 0.1
    assert lag_correlation(process, chosen, 10).mean() == pytest.approx(0.8, abs=0.05)
    assert lag_correlation(noise, chosen, 10).mean() == pytest.approx(0, abs=0.02)
    assert np.all(lag_correlation(np.ones((2, 20)), np.ones((2, 20), bool), 10) == 0)
    assert np.isnan(lag_correlation(noise[:, :9], chosen[:, :9], 10)).all()


def test_scattering_shows_in_the_correlation_of_residuals():
    events = tracks(200, momentum=(2000.0, 10_000.0))
    clusters = events["clusters"].copy()
    clusters[..., 2] += np.cumsum(np.random.default_rng(1).normal(0, 0.3, (200, 159)), axis=1)
    before, after = observed(events), observed(changed(events, clusters))
    for name in ("correlation_z_true", "correlation_z_fitted"):
        assert before[name].mean() < 0.05
        assert after[name].mean() > 0.5
