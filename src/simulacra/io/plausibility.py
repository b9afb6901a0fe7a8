"""Whether numbers of others mean what their format says: energies close, showers have a depth.

A file without units and axis names can be wrong by a factor 1000 or by a transposition and still
load. These checks are physics, not proof: they refuse what no shower looks like. The order of
voxels is the business of :mod:`simulacra.io.voxel_order`.
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError

RESPONSE = (4e-3, 4.0)
"""Mean of E_cells / E_incident from visible energy in thin silicon (0.02) to all of it (1); narrow
enough that no factor 1000 leads from one end of the sensible to the other."""

BELIEVED = (1e3, 1e7)
"""Median energy in MeV that a file need not state its unit for: 1 GeV to 10 TeV. Read as MeV, most
files in GeV lie below, and those in keV above."""
LOWEST = 100.0
"""Smallest energy in MeV of such a file."""


def require_closure(energy: Array, cells: Array, response: tuple[float, float] = RESPONSE) -> None:
    """Raise an :class:`EventsError` where cells do not sum to a sensible part of the energy.

    Args:
        energy: incident kinetic energies (n,), MeV.
        cells: energies of cells (n, ...), MeV.
        response: which mean of E_cells / E_incident is sensible.
    """
    total = cells.reshape(len(energy), -1).sum(axis=1, dtype=np.float64) if len(energy) else energy
    if not len(energy) or not np.all(np.isfinite(total)) or not np.all(energy > 0):
        return  # nothing to judge, or :meth:`Events.check` names what is wrong
    mean = float(np.mean(total / energy))
    low, high = response
    if low <= mean < high:
        return
    msg = (
        f"the cells sum to {mean:.3g} times the incident energy, not to {low:g} … {high:g}: "
        "units or axes are not those of the format"
    )
    factors = [f for f in (1e-3, 1e3, 1e-6, 1e6) if low <= mean * f < high]
    if factors:
        msg += f"; a factor {factors[0]:g} on the cells (or {1 / factors[0]:g} on energy) mends it"
    raise EventsError(msg)


def require_stated_unit(energy: Array) -> None:
    """Raise an :class:`EventsError` for energies that could as well be in another unit.

    Where energies and cells have the same wrong unit, their ratio is right: only their size can
    tell, and only for most experiments.

    Args:
        energy: all incident energies of a file that states no unit (n,), in what it would be, MeV.
    """
    sensible = energy[np.isfinite(energy) & (energy > 0)]
    if not len(sensible):
        return  # :meth:`Conditions.check` names what is wrong
    low, high = BELIEVED
    median, least = float(np.median(sensible)), float(sensible.min())
    if low <= median < high and least >= LOWEST:
        return
    msg = (
        f"no unit is stated, and energies would be {least:g} to {sensible.max():g} MeV (median "
        f"{median:g}), which other units explain as well: state it when converting, --unit GeV "
        "or --unit MeV, or as the attribute 'unit' of the arrays"
    )
    raise EventsError(msg)


def require_depth_last(images: Array) -> None:
    """Raise an :class:`EventsError` where another axis of a voxel image is clearly the depth.

    An electromagnetic shower is longer than wide: in (n, x, y, z) the mean energy-weighted
    standard deviation, in cells, is largest along z.
    """
    if not len(images):
        return
    widths = [_mean_width(images, axis) for axis in (1, 2, 3)]
    longest = int(np.argmax(widths))
    if longest != 2 and widths[longest] > 1.2 * widths[2]:
        msg = f"showers are longest along axis {longest + 1}, not along axis 3: (n, x, y, z) needed"
        raise EventsError(msg)


def _mean_width(images: Array, axis: int) -> float:
    others = tuple(other for other in (1, 2, 3) if other != axis)
    profile = images.sum(axis=others, dtype=np.float64)
    profile = profile[profile.sum(axis=1) > 0]
    if not len(profile):
        return 0.0
    weights = profile / profile.sum(axis=1, keepdims=True)
    index = np.arange(profile.shape[1])
    variance = weights @ index**2 - (weights @ index) ** 2
    return float(np.sqrt(np.clip(variance, 0, None)).mean())
