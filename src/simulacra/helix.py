"""The path of a charged particle in a uniform field: a helix about the z axis's direction.

The functions are written with the array API: they take numpy arrays or torch tensors, in single or
double precision, and with torch their results are differentiable. Nothing in them is nan, and no
gradient is infinite, also where a particle curls back before the radius that is asked for.

A particle starts at (x, y, z) under the azimuth phi. After the transverse path s it has turned by
theta = kappa s, and in the frame of its start, whose first axis is its direction there,

    (sin(theta) / kappa, (1 - cos(theta)) / kappa),    z = z_0 + s tan(lambda).

The curvature kappa = -0.299792458 B q / p_T (B in T, p_T in MeV, kappa in 1/mm) is signed: with the
field along +z a positive particle turns clockwise seen from +z, because of the force q v x B. A
curvature of 0 is a straight line; nothing here subtracts radii of curvature, so that stiff tracks
lose no digits.

References:
    R. Frühwirth, A. Strandlie (2021), Pattern Recognition, Tracking and Vertex Reconstruction in
    Particle Detectors, Springer, section 4.2.2 (helices in a homogeneous field).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from array_api_compat import array_namespace

AnyArray = Any
"""A numpy array or a torch tensor."""
CURVATURE_PER_TESLA = 0.299792458
"""q B / p_T in 1/mm for one elementary charge, one tesla and one MeV: the speed of light."""
STRAIGHT = 1e-12
"""Curvatures below this (1/mm) are taken as this: a sagitta of a nanometre over 2.5 m."""
APEX = 1e-6
"""Squared cosines below this, between path and radius, count as this: within 1 um of the apex."""
NEWTON_STEPS = 3
FLATTEST = 0.25
"""Cosine of the angle between path and radius below which a row is crossed so flatly that residuals
at equal radius mean nothing: curlers near their apex. Distances know no such rows."""


@dataclass(frozen=True, slots=True)
class Helix:
    """Helices of n particles, each (n,).

    Attributes:
        x, y, z: where they start, mm.
        phi: azimuth of the direction there, rad.
        curvature: turning angle per transverse path, 1/mm; negative turns clockwise.
        tan_lambda: dz per transverse path, the sinh of the pseudorapidity.
    """

    x: AnyArray
    y: AnyArray
    z: AnyArray
    phi: AnyArray
    curvature: AnyArray
    tan_lambda: AnyArray

    def column(self) -> Helix:
        """Return the same helices as (n, 1), to be met with one radius or point per pad row.

        Helices that differ from row to row already, (n, rows), are returned as they are.
        """
        if self.curvature.ndim == 2:
            return self
        parts = (self.x, self.y, self.z, self.phi, self.curvature, self.tan_lambda)
        return Helix(*(part[:, None] for part in parts))


class Crossings(NamedTuple):
    """Where n helices cross cylinders around the z axis, each (n, rows).

    Attributes:
        x, y, z: the point, mm.
        angle: by how much the particle has turned since its start, rad, signed as the curvature.
        reached: whether the helix gets to the radius at all; if not, the point is its apex.
    """

    x: AnyArray
    y: AnyArray
    z: AnyArray
    angle: AnyArray
    reached: AnyArray


class Residuals(NamedTuple):
    """How far points lie beside helices at the same radius, each (n, points).

    Attributes:
        r_phi: along the circle of that radius, mm, positive where the point has the larger azimuth.
        z: along the axis, mm.
        reached: whether the helix gets to that radius; if not, the apex is what is compared with.
    """

    r_phi: AnyArray
    z: AnyArray
    reached: AnyArray


def charges(pdg: AnyArray, species: Sequence[int], like: AnyArray) -> AnyArray:
    """Return the charges (n,) in units of e of PDG codes (n,), which are among ``species``.

    Args:
        pdg: PDG codes, of any type of numbers.
        species: the codes that occur.
        like: an array of the type that is returned.
    """
    from particle.pdgid import charge

    xp = array_namespace(like)
    result = xp.zeros_like(like)
    for code in species:
        result = xp.where(pdg == code, float(charge(code) or 0.0) + 0 * like, result)
    return result


def helix_of(
    columns: Mapping[str, AnyArray], species: Sequence[int], magnetic_field: float
) -> Helix:
    """Return the ideal helices of particles without energy loss or scattering.

    Args:
        columns: ``pdg``, ``transverse_momentum`` (MeV), ``pseudorapidity``, ``phi`` (rad) and
            ``vertex_x``, ``vertex_y``, ``vertex_z`` (mm), each (n,).
        species: the PDG codes that occur.
        magnetic_field: the component along +z, T.
    """
    momentum, pseudorapidity = columns["transverse_momentum"], columns["pseudorapidity"]
    xp = array_namespace(momentum, pseudorapidity)
    charge = charges(columns["pdg"], species, momentum)
    return Helix(
        x=columns["vertex_x"],
        y=columns["vertex_y"],
        z=columns["vertex_z"],
        phi=columns["phi"],
        curvature=-CURVATURE_PER_TESLA * magnetic_field * charge / momentum,
        tan_lambda=xp.sinh(pseudorapidity),
    )


def crossings(helix: Helix, radii: AnyArray) -> Crossings:
    """Return where helices first cross cylinders around the z axis.

    With t = tan(|theta| / 2) / |kappa| the condition x^2 + y^2 = r^2 is a quadratic equation,
    c t^2 + 2 a t - v = 0, with a the start's coordinate along the direction,
    v = (r^2 - x_0^2 - y_0^2) / 2 and c = 2 b - kappa^2 v, b = 1 + kappa times the start's
    coordinate across. The first crossing is v / (a + sqrt(a^2 + v c)) in every case.

    Args:
        helix: n helices that start inside of the cylinders.
        radii: (rows,), or (n, rows), mm.
    """
    h = helix.column()
    xp = array_namespace(h.x, radii)
    cos, sin = xp.cos(h.phi), xp.sin(h.phi)
    sign, kappa = _sign_and_size(h.curvature)
    along = h.x * cos + h.y * sin
    b = 1 + h.curvature * (h.y * cos - h.x * sin)
    inside = (radii**2 - h.x**2 - h.y**2) / 2
    most = (b + xp.sqrt(b**2 + (kappa * along) ** 2)) / kappa**2
    v = xp.minimum(xp.where(inside > 1, inside, xp.ones_like(inside)), most)
    root_2 = along**2 + v * (2 * b - kappa**2 * v)
    least = APEX * (along**2 + v)
    root = xp.sqrt(xp.where(root_2 > least, root_2, least))
    half = xp.atan2(kappa * v, along + root)
    chord, path = 2 * xp.sin(half) / kappa, 2 * half / kappa
    towards = h.phi + sign * half
    return Crossings(
        x=h.x + chord * xp.cos(towards),
        y=h.y + chord * xp.sin(towards),
        z=h.z + path * h.tan_lambda,
        angle=2 * sign * half,
        reached=(inside > 0) & (inside < most),
    )


def residuals(helix: Helix, points: AnyArray) -> Residuals:
    """Return the residuals of points (n, points, 3) to helices at the points' own radii, mm."""
    x, y = points[..., 0], points[..., 1]
    xp = array_namespace(points)
    square = x**2 + y**2
    on_axis = square <= 0  # of rows without a cluster, whose gradient would be undefined
    radii = xp.sqrt(xp.where(on_axis, xp.ones_like(square), square))
    ideal = crossings(helix, radii)
    across = ideal.x * y - ideal.y * x
    along = xp.where(on_axis, xp.ones_like(square), ideal.x * x + ideal.y * y)
    return Residuals(radii * xp.atan2(across, along), points[..., 2] - ideal.z, ideal.reached)


def displaced(ideal: Crossings, r_phi: AnyArray, z: AnyArray) -> AnyArray:
    """Return the points (n, rows, 3) at given residuals (n, rows) from crossings, mm."""
    xp = array_namespace(ideal.x)
    angle = r_phi / xp.sqrt(ideal.x**2 + ideal.y**2)
    cos, sin = xp.cos(angle), xp.sin(angle)
    x, y = ideal.x * cos - ideal.y * sin, ideal.x * sin + ideal.y * cos
    return xp.stack([x, y, ideal.z + z], axis=-1)


def squared_distances(helix: Helix, points: AnyArray) -> AnyArray:
    """Return the squared distances (n, points) of points (n, points, 3) to helices, mm^2.

    The nearest point in space is found by Newton's method from the nearest one in the transverse
    plane. It is looked for from half a turn before the start to one turn after it: a read-out keeps
    the first crossing of a pad row. Squares, because their gradient exists on the helix as well.
    """
    h = helix.column()
    xp = array_namespace(h.x, points)
    cos, sin = xp.cos(h.phi), xp.sin(h.phi)
    x, y, z = points[..., 0] - h.x, points[..., 1] - h.y, points[..., 2] - h.z
    along, across = x * cos + y * sin, y * cos - x * sin
    sign, kappa = _sign_and_size(h.curvature)
    across = sign * across  # mirrored, every helix turns towards +across
    path = xp.atan2(kappa * along, 1 - kappa * across) / kappa
    later = path + 2 * xp.pi / kappa
    nearer = xp.abs(later * h.tan_lambda - z) < xp.abs(path * h.tan_lambda - z)
    path = xp.where((path < 0) & nearer, later, path)
    speed = 1 + h.tan_lambda**2
    for _ in range(NEWTON_STEPS):
        half = kappa * path / 2
        cos, sin = xp.cos(half), xp.sin(half)
        # the helix seen from the point, and its direction: cos and sin of the whole angle
        d_along, d_across = 2 * sin * cos / kappa - along, 2 * sin**2 / kappa - across
        d_z = path * h.tan_lambda - z
        ahead, aside = 1 - 2 * sin**2, 2 * sin * cos
        first = d_along * ahead + d_across * aside + d_z * h.tan_lambda
        second = speed + kappa * (d_across * ahead - d_along * aside)
        path = path - first / xp.where(second > speed / 2, second, speed / 2 + 0 * second)
    half = kappa * path / 2
    cos, sin = xp.cos(half), xp.sin(half)
    d_along, d_across = 2 * sin * cos / kappa - along, 2 * sin**2 / kappa - across
    return d_along**2 + d_across**2 + (path * h.tan_lambda - z) ** 2


def _sign_and_size(curvature: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return the sense of turning (+-1) and the size, which is never zero."""
    xp = array_namespace(curvature)
    one = xp.ones_like(curvature)
    size = xp.abs(curvature)
    return xp.where(curvature < 0, -one, one), xp.where(size > STRAIGHT, size, STRAIGHT * one)
