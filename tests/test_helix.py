"""Helices: on the cylinder, on the circle, the limits, the senses; numpy and torch agree."""

import numpy as np
import pytest
import torch

from simulacra.helix import (
    CURVATURE_PER_TESLA,
    Helix,
    charges,
    crossings,
    displaced,
    helix_of,
    residuals,
    squared_distances,
)
from tests.tracks import FIELD, RADII, SPECIES
from tests.tracks import conditions as tracks


def conditions(n=300, momentum=(100.0, 10_000.0)):
    return tracks(n, momentum=momentum, spot=0.5)


def as_torch(columns, dtype=torch.float64):
    return {name: torch.as_tensor(column, dtype=dtype) for name, column in columns.items()}


def points_at(helix, path):
    """The equation of motion's solution, written with centres and radii."""
    h, s = helix.column(), path
    angle = h.phi + h.curvature * s
    x = h.x + (np.sin(angle) - np.sin(h.phi)) / h.curvature
    y = h.y - (np.cos(angle) - np.cos(h.phi)) / h.curvature
    return np.stack([x, y, h.z + s * h.tan_lambda], axis=-1)


def test_charges_follow_the_species():
    codes = np.array(SPECIES)
    expected = [-1, 1, -1, 1, 1, -1, 1, -1, 1, -1]
    assert charges(codes, SPECIES, np.zeros(10)).tolist() == expected
    tensor = torch.zeros(10, dtype=torch.float32)
    assert charges(torch.tensor(codes), SPECIES, tensor).tolist() == expected
    assert charges(np.array([22, 2112]), (22, 2112), np.zeros(2)).tolist() == [0, 0]


def test_crossings_lie_on_cylinder_and_helix():
    helix = helix_of(conditions(), SPECIES, FIELD)
    found = crossings(helix, RADII)
    assert 0.75 < found.reached.mean() < 1  # some curl back before the last row
    at = found.reached
    np.testing.assert_allclose(
        np.hypot(found.x, found.y)[at], np.broadcast_to(RADII, at.shape)[at], rtol=1e-11
    )
    path = found.angle / helix.column().curvature
    points = np.stack([found.x, found.y, found.z], axis=-1)
    np.testing.assert_allclose(points, points_at(helix, path), atol=1e-6)


def test_crossings_are_the_first_ones():
    columns = conditions(40, momentum=(130.0, 300.0))
    helix = helix_of(columns, SPECIES, FIELD)
    found = crossings(helix, RADII)
    path = np.linspace(0, 1, 2001) * np.abs(found.angle / helix.column().curvature)[..., None]
    for row in (0, 60, 158):
        before = points_at(helix, path[:, row])[..., :2]
        farthest = np.hypot(before[..., 0], before[..., 1]).max(axis=1)
        assert np.all(farthest[found.reached[:, row]] <= RADII[row] * (1 + 1e-9))


def test_a_curler_turns_at_the_diameter():
    momentum = CURVATURE_PER_TESLA * FIELD * 600.0  # a radius of 600 mm
    columns = {name: column[:1] * 0.0 for name, column in conditions(1).items()}
    columns |= {"pdg": np.array([211]), "transverse_momentum": np.array([momentum])}
    found = crossings(helix_of(columns, SPECIES, FIELD), np.array([1199.0, 1201.0, 2000.0]))
    assert found.reached.tolist() == [[True, False, False]]
    np.testing.assert_allclose(found.x[0, 1:], 0, atol=2)  # half a turn: back on the y axis
    np.testing.assert_allclose(found.y[0, 1:], -1200, rtol=1e-5)
    np.testing.assert_allclose(found.angle[0, 1:], -np.pi, atol=2e-3)


def test_positive_particles_turn_clockwise():
    columns = {name: column[:2] * 0.0 for name, column in conditions(2).items()}
    columns |= {"pdg": np.array([211, -211]), "transverse_momentum": np.array([500.0, 500.0])}
    found = crossings(helix_of(columns, SPECIES, FIELD), np.array([1000.0]))
    assert found.y[0, 0] < 0 < found.y[1, 0]
    assert found.y[0, 0] == pytest.approx(-found.y[1, 0])
    opposite = crossings(helix_of(columns, SPECIES, -FIELD), np.array([1000.0]))
    np.testing.assert_allclose(opposite.y, -found.y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stiff_tracks_are_straight_lines(dtype):
    columns = {name: column.astype(dtype) for name, column in conditions(50).items()}
    columns["transverse_momentum"] = np.full(50, 1e12, dtype)
    columns["vertex_x"] = columns["vertex_y"] = np.zeros(50, dtype)
    found = crossings(helix_of(columns, SPECIES, FIELD), RADII.astype(dtype))
    phi, eta = columns["phi"][:, None], columns["pseudorapidity"][:, None]
    tolerance = 1e-3 if dtype == np.float32 else 1e-5
    assert found.x.dtype == dtype
    np.testing.assert_allclose(found.x, RADII * np.cos(phi), atol=tolerance)
    np.testing.assert_allclose(found.y, RADII * np.sin(phi), atol=tolerance)
    z = columns["vertex_z"][:, None] + RADII * np.sinh(eta)
    np.testing.assert_allclose(found.z, z, atol=tolerance)


def test_neutral_particles_and_no_field_go_straight():
    columns = conditions(20)
    still = helix_of(columns, SPECIES, 0.0)
    assert np.all(still.curvature == 0)
    found = crossings(still, RADII)
    points = np.stack([found.x, found.y, found.z], axis=-1)
    assert found.reached.all()
    np.testing.assert_allclose(np.hypot(found.x, found.y), np.tile(RADII, (20, 1)))
    np.testing.assert_allclose(squared_distances(still, points), 0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-8), (torch.float32, 0.02)])
def test_numpy_and_torch_agree(dtype, tolerance):
    columns = conditions(momentum=(200.0, 10_000.0))
    helix = helix_of(columns, SPECIES, FIELD)
    tensors = helix_of(as_torch(columns, dtype), SPECIES, FIELD)
    there = crossings(tensors, torch.as_tensor(RADII, dtype=dtype))
    here = crossings(helix, RADII)
    assert there.x.dtype == dtype
    # at the apex, rounding decides
    clear = np.abs(np.cos(here.angle / 2)) > 0.05
    for name in ("x", "y", "z"):
        ours, theirs = getattr(here, name), getattr(there, name).numpy()
        np.testing.assert_allclose(theirs[clear], ours[clear], atol=tolerance)
    points = np.stack([here.x + 1, here.y - 2, here.z + 3], axis=-1)
    distances = squared_distances(tensors, torch.as_tensor(points, dtype=dtype)).numpy()
    np.testing.assert_allclose(
        np.sqrt(distances)[clear], np.sqrt(squared_distances(helix, points))[clear], atol=tolerance
    )


def test_residuals_undo_displacements():
    rng = np.random.default_rng(3)
    helix = helix_of(conditions(100), SPECIES, FIELD)
    ideal = crossings(helix, RADII)
    r_phi, z = rng.normal(0, 2, (2, *ideal.x.shape))
    found = residuals(helix, displaced(ideal, r_phi, z))
    clear = np.abs(np.cos(ideal.angle / 2)) > 0.05
    np.testing.assert_allclose(found.r_phi[clear], r_phi[clear], atol=1e-7)
    np.testing.assert_allclose(found.z[clear], z[clear], atol=1e-7)
    assert np.array_equal(found.reached[clear], ideal.reached[clear])


def test_larger_azimuth_is_a_positive_residual():
    line = Helix(*(np.array([value]) for value in (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)))
    found = residuals(line, np.array([[[1000.0, 1.0, 2.0]]]))
    assert found.r_phi[0, 0] == pytest.approx(1.0, rel=1e-5)
    assert found.z[0, 0] == 2.0


def test_distances_are_the_shortest():
    rng = np.random.default_rng(4)
    helix = helix_of(conditions(30, momentum=(100.0, 3000.0)), SPECIES, FIELD)
    ideal = crossings(helix, RADII[::20])
    points = displaced(ideal, *rng.normal(0, 30, (2, *ideal.x.shape)))
    path = np.linspace(-500, 6000, 65_001)
    for track in range(30):
        one = Helix(*(getattr(helix, name)[track : track + 1] for name in Helix.__slots__))
        curve = points_at(one, path[None, :])[0]
        turned = np.abs(path * one.curvature)
        curve = curve[turned < 1.5 * np.pi]
        shortest = ((curve[None] - points[track][:, None]) ** 2).sum(-1).min(1)
        found = squared_distances(one, points[track : track + 1])[0]
        np.testing.assert_allclose(found, shortest, atol=0.01, rtol=1e-3)


def test_distance_across_a_line_is_that_of_geometry():
    eta = np.array([0.7])
    zero = np.zeros(1)
    line = Helix(zero, zero, zero, zero, zero, np.sinh(eta))
    above = np.array([[[1000.0, 3.0, 1000.0 * np.sinh(0.7) + 4.0]]])
    expected = 3.0**2 + (4.0 / np.cosh(0.7)) ** 2  # dz counts by cos(lambda)
    assert squared_distances(line, above)[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_is_nan_and_gradients_are_finite(dtype):
    columns = as_torch(conditions(200, momentum=(20.0, 10_000.0)), dtype)
    columns["transverse_momentum"][:2] = torch.tensor([1e12, 90.0])
    inputs = {n: c.clone().requires_grad_(True) for n, c in columns.items() if n != "pdg"}
    helix = helix_of(columns | inputs, SPECIES, FIELD)
    points = torch.randn(200, 159, 3, dtype=dtype) * 1000
    points[:, ::3] = 0  # rows without a cluster
    points.requires_grad_(True)
    found = crossings(helix, torch.as_tensor(RADII, dtype=dtype))
    on_it = torch.stack([found.x, found.y, found.z], dim=-1)
    beside = residuals(helix, points)
    values = [
        *found[:4],
        *beside[:2],
        squared_distances(helix, points),
        squared_distances(helix, on_it),
        displaced(found, *beside[:2]),
    ]
    assert all(torch.isfinite(value).all() for value in values)
    for value in values:
        gradients = torch.autograd.grad(
            value.sum(), [*inputs.values(), points], retain_graph=True, allow_unused=True
        )
        assert all(g is None or torch.isfinite(g).all() for g in gradients)


def test_gradients_are_those_of_differences():
    columns = as_torch(conditions(5, momentum=(400.0, 3000.0)))
    radii = torch.as_tensor(RADII[::50])
    ideal = crossings(helix_of(columns, SPECIES, FIELD), radii)
    points = displaced(ideal, *torch.as_tensor(np.random.default_rng(5).normal(0, 1, (2, 5, 4))))
    names = [name for name in columns if name != "pdg"]

    def everything(*inputs):
        helix = helix_of(columns | dict(zip(names, inputs, strict=True)), SPECIES, FIELD)
        found = crossings(helix, radii)
        return found.x, found.z, residuals(helix, points).r_phi, squared_distances(helix, points)

    inputs = tuple(columns[name].clone().requires_grad_(True) for name in names)
    assert torch.autograd.gradcheck(everything, inputs, eps=1e-5, atol=1e-3, rtol=1e-3)
