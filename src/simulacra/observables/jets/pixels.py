"""The lit pixels of jet images, as lists: what the observables of a jet have in common.

A pixel is a massless particle through its middle. The image is about the jet, so that observables
are those of the jet boosted to rapidity 0, as LAGAN's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.detectors import JetImage
from simulacra.events import Events
from simulacra.observables.jets.subjets import two_axes

MOST_PAIRS = 4_000_000
"""Pairs of pixels that are in memory together."""


class Pixels:
    """The pixels with momentum of some images, (n, m) each unless said otherwise.

    Lists begin with the hardest pixel and are filled up with pixels without momentum.
    """

    def __init__(self, events: Events) -> None:
        assert isinstance(events.detector, JetImage)
        self.detector = events.detector
        images = events["images"].reshape(len(events), -1).astype(np.float64)
        self.momenta = np.maximum(images, 0.0)

    @cached_property
    def number(self) -> IntArray:
        """How many pixels have momentum (n,)."""
        number: IntArray = np.count_nonzero(self.momenta, axis=1)
        return number

    @cached_property
    def places(self) -> IntArray:
        """Which pixels of the image these are, counted row by row."""
        most = max(int(self.number.max(initial=0)), 1)
        return np.argsort(-self.momenta, axis=1, kind="stable")[:, :most]

    @cached_property
    def pt(self) -> FloatArray:
        """Transverse momenta, GeV."""
        return np.take_along_axis(self.momenta, self.places, axis=1)

    @cached_property
    def lit(self) -> BoolArray:
        """Which entries are pixels with momentum."""
        lit: BoolArray = self.pt > 0
        return lit

    @cached_property
    def grid(self) -> FloatArray:
        """Pseudorapidity and azimuth of all pixels (pixels, 2)."""
        centres = self.detector.pixel_centres
        return np.stack(np.meshgrid(centres, centres, indexing="ij"), axis=-1).reshape(-1, 2)

    @cached_property
    def eta(self) -> FloatArray:
        """Pseudorapidities relative to the middle."""
        eta: FloatArray = self.grid[self.places, 0]
        return eta

    @cached_property
    def phi(self) -> FloatArray:
        """Azimuths relative to the middle."""
        phi: FloatArray = self.grid[self.places, 1]
        return phi

    @cached_property
    def total(self) -> FloatArray:
        """Scalar sum of the momenta (n,), GeV."""
        total: FloatArray = self.pt.sum(axis=1)
        return total

    @cached_property
    def vectors(self) -> FloatArray:
        """Four-momenta (n, 4) of the images: px, py, pz, E in GeV."""
        factors = np.cos(self.phi), np.sin(self.phi), np.sinh(self.eta), np.cosh(self.eta)
        return np.stack([(self.pt * factor).sum(axis=1) for factor in factors], axis=1)

    @cached_property
    def axes(self) -> IntArray:
        """The two pixels (n, 2) that are the axes of tau_2, positions in the lists."""
        return two_axes(self.pt, self.places, self.squares)

    @cached_property
    def squares(self) -> FloatArray:
        """Squared distances of all pixels of an image (pixels, pixels)."""
        beside = self.grid[:, None] - self.grid[None]
        squares: FloatArray = (beside**2).sum(axis=-1)
        return squares

    def distance_to(self, place: IntArray) -> FloatArray:
        """Return distances in eta and phi to a pixel (n,) of the list, for each image."""
        own = np.take_along_axis(self.places, place[:, None], axis=1)
        return np.sqrt(self.squares[self.places, own])

    @cached_property
    def correlations(self) -> tuple[FloatArray, FloatArray]:
        """Energy correlations e_2 and e_3 with beta = 1, (n,) each.

        e_2 = sum_(i<j) z_i z_j R_ij and e_3 = sum_(i<j<k) z_i z_j z_k R_ij R_jk R_ki, where z is
        the part of the momentum.
        """
        e2, e3 = np.zeros(len(self.pt)), np.zeros(len(self.pt))
        z = self.pt / np.where(self.total > 0, self.total, 1.0)[:, None]
        for rows, most in self._batches():
            part, places = z[rows, :most], self.places[rows, :most]
            distance = np.sqrt(self.squares[places[:, :, None], places[:, None, :]])
            pairs = part[:, :, None] * part[:, None, :] * distance
            e2[rows] = pairs.sum(axis=(1, 2)) / 2
            through = (distance * part[:, None, :]) @ distance
            e3[rows] = (pairs * through).sum(axis=(1, 2)) / 6
        return e2, e3

    def _batches(self) -> Iterator[tuple[IntArray, int]]:
        """Yield rows with about equally many pixels, and how many the longest of them has."""
        order = np.argsort(self.number, kind="stable")
        start = 0
        while start < len(order):
            size = 1
            while start + size < len(order):
                longest = max(int(self.number[order[start + size]]), 1)
                if (size + 1) * longest**2 > MOST_PAIRS:
                    break
                size += max(1, min(size, len(order) - start - size - 1))
            rows = order[start : start + size]
            yield rows, max(int(self.number[rows].max()), 1)
            start += size
