"""Showers of GFlash: energies in steps through the stack, then spots in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors.calorimeter.matter import energy_shares
from simulacra.detectors.calorimeter.points import Lines, Points
from simulacra.particles import pdg_id
from simulacra.simulators.classical.gflash.formulas import (
    CONVERSION,
    SMALLEST_T,
    Longitudinal,
    contained,
    longitudinal,
    number_of_spots,
    radial,
    relative_depth,
    spot_profile,
    stochastic_term,
)
from simulacra.simulators.classical.gflash.options import GFlashOptions
from simulacra.simulators.classical.gflash.stack import Steps

GAMMA = pdg_id("gamma")
MOST_SPOTS = 50_000
"""Spots of a track: more, above some 500 GeV, would carry a 50 000th of its energy each."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """Electrons that start showers: one for e-, e+, and two where a photon converts.

    Attributes:
        event: whose they are (k,), ascending.
        energy: MeV (k,).
        start: depth from the front along the line, radiation lengths (k,).
        slant: cosine of the angle of incidence (k,).
    """

    event: IntArray
    energy: FloatArray
    start: FloatArray
    slant: FloatArray

    def __len__(self) -> int:
        return len(self.event)


def tracks_of(energy: FloatArray, pdg: IntArray, slant: FloatArray, u: FloatArray) -> Tracks:
    """Return the electrons of particles.

    A photon converts after 9/7 radiation lengths on average; its energy is shared as Bethe and
    Heitler have it.

    Args:
        energy: kinetic energies (n,), MeV.
        pdg: PDG ids (n,).
        slant: cosines of the angles of incidence (n,).
        u: uniform numbers (n, 2): depth of conversion, share.
    """
    converts = pdg == GAMMA
    event = np.repeat(np.arange(len(energy)), 1 + converts)
    second = np.append(False, event[1:] == event[:-1])
    share = np.where(converts, energy_shares(u[:, 1]), 1.0)[event]
    share[second] = 1 - share[second]
    depth = np.where(converts, -CONVERSION * np.log1p(-u[:, 0]), 0.0)
    return Tracks(event, energy[event] * share, depth[event], slant[event])


@dataclass(frozen=True, slots=True)
class Shapes:
    """Longitudinal profiles of tracks: T and α (k, 1), and the distribution that they are from."""

    maximum: FloatArray
    alpha: FloatArray
    distribution: Longitudinal


def shapes_of(tracks: Tracks, steps: Steps, options: GFlashOptions, z: FloatArray) -> Shapes:
    """Return the profiles of tracks from normal numbers (2, k)."""
    mean = longitudinal(tracks.energy, steps.main, tracks.slant)
    distribution = Longitudinal(
        mean.mean_t + options.depth,
        mean.mean_alpha + options.shape,
        mean.sigma_t * options.fluctuation,
        mean.sigma_alpha * options.fluctuation,
        mean.correlation,
    )
    maximum, alpha = distribution.drawn(z)
    return Shapes(maximum[:, None], alpha[:, None], distribution)


def energies(tracks: Tracks, shapes: Shapes, steps: Steps) -> FloatArray:
    """Return the energy of each track in each step (k, s), MeV.

    The profile of the main medium runs in radiation lengths, whatever these are of; each step is
    weighted by the energy that a radiation length of it takes up. What is not deposited has left
    the stack at the back.
    """
    depths = steps.t / tracks.slant[:, None] - tracks.start[:, None]
    fraction = contained(depths, shapes.maximum, shapes.alpha)
    weighted = np.diff(fraction, axis=1) * steps.deposit
    leaving = 1 - fraction[:, -1:]
    total = weighted.sum(axis=1, keepdims=True) + leaving
    found: FloatArray = weighted * (tracks.energy[:, None] / total)
    return found


def stochastic_terms(steps: Steps, options: GFlashOptions) -> FloatArray:
    """Return the stochastic term of each step (s,), √GeV."""
    terms = [
        (stochastic_term(medium) if options.stochastic is None else options.stochastic)
        if medium.is_sampling
        else 0.0
        for medium in steps.media
    ]
    found: FloatArray = np.array(terms)[steps.section]
    return found


def fluctuated(energy: FloatArray, term: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return energies (k, s) with sampling fluctuations of stochastic terms (s,), √GeV.

    Gamma of mean E and variance c² E [GeV], so that σ/E = c / √(E/GeV) whatever the step.
    """
    sampled = term > 0
    found = energy.copy()
    scale = 1000 * term[sampled] ** 2
    found[:, sampled] = rng.standard_gamma(energy[:, sampled] / scale) * scale
    return found


def mean_spots(tracks: Tracks, steps: Steps, options: GFlashOptions) -> FloatArray:
    """Return the mean number of spots of tracks (k,)."""
    term = options.stochastic
    if term is None:
        term = stochastic_term(steps.main)
    return np.minimum(number_of_spots(tracks.energy, steps.main, term), MOST_SPOTS)


def spots(
    tracks: Tracks,
    shapes: Shapes,
    energy: FloatArray,
    lines: Lines,
    steps: Steps,
    options: GFlashOptions,
    rng: np.random.Generator,
) -> Points:
    """Return the spots of tracks: equal parts of the energy of each step, in space.

    Args:
        tracks: the electrons.
        shapes: their profiles.
        energy: visible energies (k, s), MeV.
        lines: of the events.
        steps: the stack.
        options: the free constants.
        rng: random numbers, four for each spot.
    """
    depths = steps.t / tracks.slant[:, None] - tracks.start[:, None]
    number = _numbers(tracks, shapes, depths, energy, steps, options)
    middle = np.maximum((depths[:, 1:] + depths[:, :-1]) / 2, 0.0)
    mean = shapes.distribution.mean_alpha[:, None]
    tau = relative_depth(middle, shapes.maximum, shapes.alpha, mean)
    profile = radial(tau, tracks.energy[:, None], steps.main, tracks.slant[:, None])

    place = np.repeat(np.arange(number.size), number.ravel())
    track, step = np.divmod(place, len(steps))
    u = rng.random((len(place), 4), dtype=np.float32).astype(np.float64)
    size = np.where(
        u[:, 0] < profile.share.ravel()[place],
        profile.core.ravel()[place] * options.core,
        profile.tail.ravel()[place] * options.tail,
    )
    radius = size * np.sqrt(u[:, 1] / (1 - u[:, 1])) * steps.moliere_radius[step]
    azimuth = 2 * np.pi * u[:, 2]
    begin = np.interp(tracks.start * tracks.slant, steps.t, steps.z)
    front = np.maximum(steps.z[step], begin[track])
    z = front + u[:, 3] * (steps.z[step + 1] - front)
    part = (energy / np.maximum(number, 1)).ravel()[place]
    return around(lines, tracks.event[track], z, radius, azimuth, part)


def _numbers(
    tracks: Tracks,
    shapes: Shapes,
    depths: FloatArray,
    energy: FloatArray,
    steps: Steps,
    options: GFlashOptions,
) -> IntArray:
    """Return the number of spots of each track in each step (k, s), one or more where energy is."""
    maximum, alpha = spot_profile(shapes.maximum, shapes.alpha, steps.main)
    part = np.diff(contained(depths, np.maximum(maximum, SMALLEST_T), alpha), axis=1)
    mean = part * mean_spots(tracks, steps, options)[:, None]
    number: IntArray = np.where(energy > 0, np.maximum(np.rint(mean), 1), 0).astype(np.int64)
    return number


def around(
    lines: Lines,
    event: IntArray,
    depth: FloatArray,
    radius: FloatArray,
    azimuth: FloatArray,
    energy: FloatArray,
) -> Points:
    """Return points around the lines of events, in the plane across each line.

    Args:
        lines: of the events.
        event: whose points they are (p,).
        depth: of the point on the line, mm from the front (p,).
        radius: distance from the line, mm (p,).
        azimuth: around the line, rad from the plane of incidence (p,).
        energy: MeV (p,).
    """
    x, y = lines.at(event, depth)
    direction = lines.direction
    aside = np.hypot(direction[:, 0], direction[:, 1])
    straight = aside < STRAIGHT
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.where(straight, 1.0, direction[:, 0] / aside)
        sine = np.where(straight, 0.0, direction[:, 1] / aside)
    along, across = radius * np.cos(azimuth), radius * np.sin(azimuth)
    if straight.all():
        return Points(event, x + along, y + across, depth, energy)
    tilt = direction[:, 2]
    x = x + along * (tilt * cosine)[event] - across * sine[event]
    y = y + along * (tilt * sine)[event] + across * cosine[event]
    return Points(event, x, y, depth - along * aside[event], energy)


STRAIGHT = 1e-9
"""Sine of the angle below which a direction has no azimuth."""
