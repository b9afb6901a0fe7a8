"""ATLAS's shower shapes: energies and widths in windows of strips and middle cells.

References:
    ATLAS Collaboration (2019), Electron and photon performance, arXiv:1908.00005, table 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray, IntArray
from simulacra.observables.calorimeter.showers import LayerShowers, Showers, ratio, spread


def window_fraction(
    layer: LayerShowers,
    showers: Showers,
    *,
    inner: tuple[int, int],
    outer: tuple[int, int],
) -> FloatArray:
    """Return the energy of the central ``inner`` cells over that of the ``outer`` ones.

    ATLAS's R_eta is 3x7 / 7x7 and its R_phi 3x3 / 3x7 (eta x phi) in the middle layer. Here, as in
    the other windows, the central cell is the one that the particle points at, not the hottest.
    """
    del showers
    return ratio(
        *(_central(layer.grid, size).sum(axis=(1, 2), dtype=np.float64) for size in (inner, outer))
    )


def window_width(layer: LayerShowers, showers: Showers, *, window: tuple[int, int]) -> FloatArray:
    """Return the energy-weighted standard deviation along x in the central window, in cells.

    ATLAS's w_eta2 is this in 3x5 middle cells (eta x phi), times the 0.025 that a middle cell is
    wide: sqrt(sum(E eta^2) / sum(E) - (sum(E eta) / sum(E))^2). The window cuts tails, so that the
    width is smaller than that of the layer.
    """
    del showers
    profile = _central(layer.grid, window).sum(axis=2)
    return _profile_width(profile)


def strip_width(layer: LayerShowers, showers: Showers, *, strips: int) -> FloatArray:
    """Return sqrt(sum(E_i (i - i_max)^2) / sum(E_i)) over strips around the hottest, in strips.

    Strips are numbered by i along x and summed over y. ATLAS's w_eta1 (w_s3) has 3 strips and its
    w_stot about 20. With 3 strips the sum goes from i_max - 1 to i_max + 1; an even number of
    strips has one more below the hottest than above. ATLAS sums over two cells in phi, here over
    all that are read out (three in the barrel). What lies beyond the read-out counts as empty.
    """
    del showers
    energies = _around_hottest(layer.grid.sum(axis=2), strips)
    steps = np.arange(strips) - strips // 2
    return np.sqrt(ratio(energies @ steps**2.0, energies.sum(axis=1)))


def strip_energy_ratio(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return ATLAS's E_ratio, (E_max - E_2nd) / (E_max + E_2nd), of strips summed over y.

    E_2nd is the second highest *local* maximum of the profile along x, 0 where there is none: a
    single photon has E_ratio near 1, the two photons of a pi0 do not. The neighbours of the hottest
    strip are no maxima; :func:`energies.hottest_cells_ratio` takes the two hottest cells instead.
    """
    del showers
    profile = layer.grid.sum(axis=2)
    highest, (second, _) = profile.max(axis=1), _second_maximum(profile)
    return ratio(highest - second, highest + second)


def strip_energy_difference(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return ATLAS's Delta E, MeV: the second local maximum less the lowest strip before it.

    The lowest strip is looked for between the hottest strip and that maximum. 0 where the profile
    has a single maximum.
    """
    del showers
    profile = layer.grid.sum(axis=2)
    second, place = _second_maximum(profile)
    hottest, number = profile.argmax(axis=1), np.arange(profile.shape[1])
    low, high = np.minimum(hottest, place)[:, None], np.maximum(hottest, place)[:, None]
    between = (number >= low) & (number <= high)
    lowest = np.where(between, profile, np.inf).min(axis=1)
    difference: FloatArray = np.where(second > 0, second - lowest, 0.0 * profile.sum(axis=1))
    return difference  # times the sum, so that what is not finite stays so


def side_fraction(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return ATLAS's f_side, (E(7) - E(3)) / E(3): seven and three strips around the hottest."""
    del showers
    energies = _around_hottest(layer.grid.sum(axis=2), 7)
    core = energies[:, 2:5].sum(axis=1)
    return ratio(energies.sum(axis=1) - core, core)


def _second_maximum(profile: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the second highest local maximum of profiles (n, strips), or 0, and its place (n,)."""
    edged = np.pad(profile, ((0, 0), (1, 1)))
    peaks = np.where((profile > edged[:, :-2]) & (profile > edged[:, 2:]), profile, 0.0)
    np.put_along_axis(peaks, profile.argmax(axis=1)[:, None], 0.0, axis=1)
    return peaks.max(axis=1), peaks.argmax(axis=1)


def _around_hottest(profile: FloatArray, strips: int) -> FloatArray:
    """Return the energies (n, strips) around the hottest of each profile, 0 beyond its ends.

    An even number of strips has one more below the hottest than above.
    """
    below, above = strips // 2, (strips - 1) // 2
    padded = np.pad(profile, ((0, 0), (below, above)))
    places = profile.argmax(axis=1)[:, None] + np.arange(strips)
    energies: FloatArray = np.take_along_axis(padded, places, axis=1)
    return energies


def _central(grid: FloatArray, size: tuple[int, int]) -> NDArray[np.float64]:
    (nx, ny), (kx, ky) = grid.shape[1:], size
    x0, y0 = (nx - kx) // 2, (ny - ky) // 2
    return grid[:, x0 : x0 + kx, y0 : y0 + ky]


def _profile_width(profile: FloatArray) -> FloatArray:
    """Return the standard deviation of the cell number in profiles (n, cells)."""
    number = np.arange(profile.shape[1]) - (profile.shape[1] - 1) / 2
    return spread(profile @ number, profile @ number**2, profile.sum(axis=1))
