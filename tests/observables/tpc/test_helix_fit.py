"""Fitted helices: exact ones come back, smeared ones are as far off as their degrees of freedom."""

import time

import numpy as np
import pytest

from simulacra.helix import Helix, helix_of, squared_distances
from simulacra.observables.tpc.helix_fit import FEWEST_CLUSTERS, fit_helices
from tests.tracks import FIELD, RADII, SPECIES, clusters_of, conditions


def mean_squares(helix, points, present):
    """MSE of each track (n,), mm^2."""
    squares = np.where(present, squared_distances(helix, points), 0.0)
    return squares.sum(axis=1) / present.sum(axis=1)


def test_exact_helices_come_back():
    columns = conditions(400, momentum=(150.0, 10_000.0))
    true, points, present = clusters_of(columns)
    fit = fit_helices(points, present)
    assert np.array_equal(fit.fitted, present.sum(axis=1) >= FEWEST_CLUSTERS)
    assert fit.fitted.mean() > 0.9
    np.testing.assert_allclose(mean_squares(fit.helix, points, present)[fit.fitted], 0, atol=1e-9)
    found, expected = (h.curvature[fit.fitted] for h in (fit.helix, true))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(
        fit.helix.tan_lambda[fit.fitted], true.tan_lambda[fit.fitted], atol=1e-7
    )
    turned = (fit.helix.phi - true.phi + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(turned[fit.fitted], 0, atol=1e-3)  # at the axis, not the vertex
    np.testing.assert_allclose(fit.helix.z[fit.fitted], true.z[fit.fitted], atol=2)


def test_curlers_are_fitted_over_half_a_turn():
    columns = conditions(100, momentum=(140.0, 200.0), eta=0.3)
    columns |= dict.fromkeys(("vertex_x", "vertex_y"), np.zeros(100))
    true, points, present = clusters_of(columns)
    fit = fit_helices(points, present)
    assert fit.fitted.all()
    np.testing.assert_allclose(mean_squares(fit.helix, points, present), 0, atol=1e-9)
    np.testing.assert_allclose(fit.helix.curvature, true.curvature, rtol=1e-6)


def test_straight_tracks_in_any_direction():
    n = 50
    columns = conditions(n)
    columns["transverse_momentum"] = np.full(n, 1e9)
    columns["phi"] = np.linspace(-np.pi, np.pi, n)
    _, points, present = clusters_of(columns, smearing=(1.0, 1.0))
    fit = fit_helices(points, present)
    assert np.abs(fit.helix.curvature).max() < 3e-6  # of radii above 300 m
    assert np.all(mean_squares(fit.helix, points, present) < 3)


@pytest.mark.parametrize("momentum", [600.0, 10_000.0])
def test_smearing_gives_the_expected_mean_squares(momentum):
    """Three parameters across, two along: each takes a share of sigma^2 / n."""
    n, r_phi, z = 1500, 1.0, 0.8
    columns = conditions(n, momentum=(momentum, momentum), eta=0.6)
    true, points, present = clusters_of(columns, smearing=(r_phi, z))
    rows = present.sum(axis=1)
    assert rows.min() > 150
    true_mse = mean_squares(true, points, present).mean()
    fitted_mse = mean_squares(fit_helices(points, present).helix, points, present).mean()
    kappa = np.abs(helix_of(columns, SPECIES, FIELD).curvature)[:, None]
    across = 1 - (kappa * RADII / 2) ** 2  # cos^2 of the angle between path and radius
    slope = 1 / np.cosh(columns["pseudorapidity"][:, None]) ** 2  # cos^2 of lambda
    along = r_phi**2 * (1 - across) * (1 - slope)  # a shift along the path looks like one in z
    expected = r_phi**2 * across + z**2 * slope + along
    assert true_mse == pytest.approx(expected.mean(), rel=0.01)
    across_mse, along_mse = (r_phi**2 * across).mean(), (z**2 * slope + along).mean()
    reduced = across_mse * (1 - 3 / 159) + along_mse * (1 - 2 / 159)
    assert fitted_mse == pytest.approx(reduced, rel=0.01)
    assert fitted_mse < true_mse


def test_the_geometric_distance_is_minimal():
    _, points, present = clusters_of(conditions(50, momentum=(150, 2000)), smearing=(5.0, 0.0))
    points[..., 2] = 0
    helix = fit_helices(points, present).helix
    best = mean_squares(helix, points, present)
    for change in (
        {"curvature": helix.curvature * (1 + 1e-4)},
        {"curvature": helix.curvature * (1 - 1e-4)},
        {"x": helix.x + 0.01},
        {"y": helix.y - 0.01},
    ):
        parts = {name: getattr(helix, name) for name in Helix.__slots__} | change
        assert np.all(mean_squares(Helix(**parts), points, present) >= best * (1 - 1e-9))


def test_few_clusters_are_nan_and_say_so():
    _, points, present = clusters_of(conditions(4))
    present[0, FEWEST_CLUSTERS - 1 :] = False
    present[1, FEWEST_CLUSTERS:] = False
    present[2] = False
    fit = fit_helices(np.where(present[..., None], points, 0.0), present)
    assert fit.fitted.tolist() == [False, True, False, True]
    assert np.isnan(fit.helix.curvature).tolist() == [True, False, True, False]
    assert len(fit_helices(points[:0], present[:0]).fitted) == 0


def test_clusters_far_from_any_helix_have_finite_fits():
    rng = np.random.default_rng(3)
    points = rng.uniform(-2500, 2500, (200, 159, 3))
    present = rng.random((200, 159)) < 0.5
    fit = fit_helices(np.where(present[..., None], points, 0.0), present)
    squares = mean_squares(fit.helix, points, present)
    assert np.all(np.isfinite(squares))
    assert np.median(np.sqrt(squares)) > 500
    same = np.broadcast_to(np.array([1000.0, 0.0, 0.0]), points.shape)
    assert np.all(np.isfinite(fit_helices(same, present).helix.x))


def test_ten_thousand_tracks_take_seconds():
    """Best of three, so that a busy machine does not decide."""
    _, points, present = clusters_of(conditions(1000), smearing=(1.0, 1.0))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        fit = fit_helices(points, present)
        squared_distances(fit.helix, points)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1.0
