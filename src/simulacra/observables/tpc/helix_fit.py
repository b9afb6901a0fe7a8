r"""Helices fitted to clusters: a circle across the beam, a line against the path along it.

The circle has the curvature kappa (signed as in :mod:`simulacra.helix`), and comes closest to the
centre of the clusters at the signed distance d under the direction phi. With w the vector from that
point to a cluster, t its component to the left of the direction and A = t - kappa w^2 / 2, the
cluster lies at the distance

.. math:: \epsilon = 2 A / (1 + \sqrt{1 - 2 \kappa A})

from the circle. The start is Karimäki's closed form, which minimises sum(A^2) to first order;
Gauss-Newton steps, damped where they lead upwards (Levenberg-Marquardt), then minimise
sum(epsilon^2) itself. Straight tracks are no special case. All tracks are fitted together, and
every cluster has the same weight.

References:
    V. Karimäki (1991), Effective circle fitting for particle trajectories,
    Nucl. Instrum. Meth. A 305, 187;
    N. Chernov (2010), Circular and Linear Regression, CRC Press, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.helix import STRAIGHT, Helix

FEWEST_CLUSTERS = 10
"""Clusters that a fit needs; five parameters are fitted."""
STEPS = 20
SMALL_STEP = 1e-10
"""Change of the sum of squares, relative, below which a fit has converged."""
DAMPING = 1e-4
"""First damping of the steps; a tenth after each good step, ten times that after a bad one."""
LARGEST_DAMPING = 1e4
ROUNDING = 1e-24
"""Sum of squares, in units of the track's spread, that is rounding."""


@dataclass(frozen=True, slots=True)
class HelixFit:
    """Fitted helices of some tracks.

    Attributes:
        helix: from the point of closest approach to the z axis on; nan for tracks without a fit.
        fitted: which tracks (n,) have enough clusters for one.
    """

    helix: Helix
    fitted: BoolArray


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Clusters around their centre, in units of their spread, (n, rows); 0 where there is none."""

    x: FloatArray
    y: FloatArray
    present: BoolArray
    n: IntArray

    def mean(self, values: FloatArray) -> FloatArray:
        """Return the mean over the clusters of each track, (n,)."""
        mean: FloatArray = np.where(self.present, values, 0.0).sum(axis=1) / self.n
        return mean


def fit_helices(points: FloatArray, present: BoolArray) -> HelixFit:
    """Return the helix of least squares through the clusters of each track.

    Args:
        points: clusters (n, rows, 3), mm, in the order in which the particle passed.
        present: which rows (n, rows) have a cluster.
    """
    fitted = present.sum(axis=1) >= FEWEST_CLUSTERS
    result = np.full((6, len(points)), np.nan)
    if fitted.any():
        result[:, fitted] = _fit(points[fitted].astype(np.float64), present[fitted])
    return HelixFit(Helix(*result), fitted)


def _fit(points: FloatArray, present: BoolArray) -> FloatArray:
    """Return x, y, z, phi, curvature and tan(lambda) at the closest approach, (6, n)."""
    n = present.sum(axis=1)
    centre = np.where(present[..., None], points, 0.0).sum(axis=1) / n[:, None]
    x, y = (np.where(present, points[..., i] - centre[:, i, None], 0.0) for i in (0, 1))
    spread = np.sqrt(np.maximum((x**2 + y**2).sum(axis=1) / n, 1e-12))
    clusters = _Clusters(x / spread[:, None], y / spread[:, None], present, n)
    kappa, phi, d = _refined(clusters, _along(clusters, _karimaki(clusters)))
    kappa, d = kappa / spread, d * spread
    z0, slope = _line(_path(x, y, kappa, phi, d), points[..., 2], present, n)
    back = _path(-centre[:, 0, None], -centre[:, 1, None], kappa, phi, d)[:, 0]
    half = kappa * back / 2
    chord = np.where(np.abs(half) > 0, np.sin(half) / np.where(half == 0, 1.0, half), 1.0) * back
    return np.stack(
        [
            centre[:, 0] - d * np.sin(phi) + chord * np.cos(phi + half),
            centre[:, 1] + d * np.cos(phi) + chord * np.sin(phi + half),
            z0 + slope * back,
            np.arctan2(np.sin(phi + 2 * half), np.cos(phi + 2 * half)),
            kappa,
            slope,
        ]
    )


def _karimaki(c: _Clusters) -> FloatArray:
    """Return curvature, direction and distance (3, n) of Karimäki's circles; equations 11 to 14."""
    r2 = c.x**2 + c.y**2
    xx, xy, yy = (c.mean(product) for product in (c.x * c.x, c.x * c.y, c.y * c.y))
    mean_r2 = c.mean(r2)
    x_r2, y_r2 = c.mean(c.x * r2), c.mean(c.y * r2)  # means of x and y are 0
    r2_r2 = np.maximum(c.mean(r2 * r2) - mean_r2**2, 1e-12)
    q1 = r2_r2 * xy - x_r2 * y_r2
    q2 = r2_r2 * (xx - yy) - x_r2**2 + y_r2**2
    phi = 0.5 * np.arctan2(2 * q1, q2)
    half = (np.cos(phi) * y_r2 - np.sin(phi) * x_r2) / r2_r2
    delta = -half * mean_r2
    root = np.sqrt(np.maximum(1 - 4 * half * delta, 0.0))
    return np.stack([2 * half / np.maximum(root, 1e-6), phi, 2 * delta / (1 + root)])


def _along(c: _Clusters, circles: FloatArray) -> FloatArray:
    """Return the circles with the direction in which the rows follow each other."""
    kappa, phi, d = circles
    rows = np.arange(c.x.shape[1], dtype=np.float64)
    ahead = c.mean(rows * (c.x * np.cos(phi)[:, None] + c.y * np.sin(phi)[:, None]))
    turned = ahead < 0
    sign = np.where(turned, -1.0, 1.0)
    return np.stack([sign * kappa, phi + np.pi * turned, sign * d])


def _refined(c: _Clusters, start: FloatArray) -> FloatArray:
    """Return the circles (3, n) of least squares from a start."""
    best = start
    residual, jacobian = _residuals(c, best)
    square = c.mean(residual**2)
    damping, done = np.full(len(square), DAMPING), np.zeros(len(square), bool)
    for _ in range(STEPS):
        trial = best + _step(jacobian, residual, damping)
        trial_residual, trial_jacobian = _residuals(c, trial)
        trial_square = c.mean(trial_residual**2)
        better = trial_square < square
        change = np.abs(square - trial_square)
        done |= (change <= SMALL_STEP * square + ROUNDING) | (damping > LARGEST_DAMPING)
        best = np.where(better, trial, best)
        residual = np.where(better[:, None], trial_residual, residual)
        jacobian = np.where(better[:, None], trial_jacobian, jacobian)
        square = np.where(better, trial_square, square)
        damping *= np.where(better, 0.1, 10.0)
        if done.all():
            break
    return best


def _residuals(c: _Clusters, circles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return distances (n, rows) and their derivatives by kappa, phi and d (3, n, rows)."""
    kappa, phi, d = (parameter[:, None] for parameter in circles)
    cos, sin = np.cos(phi), np.sin(phi)
    along = c.x * cos + c.y * sin
    across = c.y * cos - c.x * sin - d
    square = along**2 + across**2
    a = across - kappa * square / 2
    root = np.sqrt(np.maximum(1 - 2 * kappa * a, 0.0))
    residual = 2 * a / (1 + root)
    weight = np.where(c.present, 1 / np.maximum(root, 1e-3), 0.0)
    jacobian = np.stack(
        [
            (residual**2 - square) / 2 * weight,
            -along * (1 + kappa * d) * weight,
            (kappa * across - 1) * weight,
        ]
    )
    return np.where(c.present, residual, 0.0), jacobian


def _step(jacobian: FloatArray, residual: FloatArray, damping: FloatArray) -> FloatArray:
    """Return the damped Gauss-Newton step (3, n)."""
    normal = np.einsum("ink,jnk->nij", jacobian, jacobian)
    slope = np.einsum("ink,nk->ni", jacobian, residual)
    place = np.arange(3)
    normal[:, place, place] *= 1 + damping[:, None]
    normal[:, place, place] += 1e-12
    step: FloatArray = -np.linalg.solve(normal, slope[..., None])[..., 0].T
    return step


def _path(
    x: FloatArray, y: FloatArray, kappa: FloatArray, phi: FloatArray, d: FloatArray
) -> FloatArray:
    """Return the signed path along circles (n,) to the foot of points (n, rows)."""
    cos, sin = np.cos(phi)[:, None], np.sin(phi)[:, None]
    along, across = x * cos + y * sin, y * cos - x * sin - d[:, None]
    size = np.maximum(np.abs(kappa), STRAIGHT)[:, None]
    across = np.where(kappa < 0, -1.0, 1.0)[:, None] * across
    path: FloatArray = np.arctan2(size * along, 1 - size * across) / size
    return path


def _line(
    path: FloatArray, z: FloatArray, present: BoolArray, n: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return z at path 0 and slope (n,) of the lines of least squares."""
    mean_path = np.where(present, path, 0.0).sum(axis=1) / n
    mean_z = np.where(present, z, 0.0).sum(axis=1) / n
    beside = np.where(present, path - mean_path[:, None], 0.0)
    spread = np.maximum((beside**2).sum(axis=1), 1e-12)
    slope = (beside * z).sum(axis=1) / spread
    return mean_z - slope * mean_path, slope
