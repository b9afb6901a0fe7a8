"""Delphes-like smearing: tracks and towers of generated particles from a card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.smearing.card import OTHER, CalorimeterCard, SmearingCard, load_smearing
from simulacra.smearing.particles import Particles
from simulacra.smearing.propagate import Exits, exits
from simulacra.smearing.random_numbers import log_normal


@dataclass(frozen=True, slots=True)
class Tracks:
    """Reconstructed tracks: directions are those of the particles, momenta are smeared.

    Attributes:
        particles: with the smeared p_T, in the order of the generated ones.
        source: which generated particle each is (t,).
    """

    particles: Particles
    source: IntArray

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True)
class Towers:
    """Towers with energy, ordered by event and tower.

    Attributes:
        event: (t,).
        tower: number of the tower in its calorimeter (t,).
        eta, phi: direction (t,).
        energy: measured (t,), MeV; 0 below the card's thresholds.
        deposited: what the particles left in it (t,), MeV.
        n_events: how many events there are.
    """

    event: IntArray
    tower: IntArray
    eta: FloatArray
    phi: FloatArray
    energy: FloatArray
    deposited: FloatArray
    n_events: int

    def __len__(self) -> int:
        return len(self.event)


@dataclass(frozen=True, slots=True)
class Reconstructed:
    """What a detector sees of events: tracks, and the towers of both calorimeters."""

    tracks: Tracks
    electromagnetic: Towers
    hadronic: Towers


def smear(
    particles: Particles, card: SmearingCard | str | Path = "cms", *, seed: int = 1
) -> Reconstructed:
    """Return what a detector would reconstruct of generated particles.

    After Delphes (J. de Favereau et al., arXiv:1307.6346): charged particles follow helices to the
    calorimeters' face, each particle's total energy is shared between the two calorimeters, towers
    and transverse momenta are smeared by log-normal distributions. There is no energy flow.

    Args:
        particles: stable ones of whole events; neutrinos leave nothing by the card's fractions.
        card: ``cms``, ``atlas``, a YAML file or a card.
        seed: the source of all random numbers.

    Raises:
        CardError: there is no such card, or it is wrong.

    Example:
        >>> import numpy as np
        >>> one = np.ones(1)
        >>> electron = Particles.of([0], [11], 50e3 * one, 0 * one, 0 * one, 0.511 * one)
        >>> len(smear(electron, "cms", seed=1).electromagnetic)
        1
    """
    chosen = load_smearing(card)
    out = exits(particles, chosen.field, chosen.radius, chosen.half_length)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3)]
    fractions = chosen.fractions_of(particles.pdg)
    calorimeters = (chosen.electromagnetic, chosen.hadronic)
    towers = [
        _towers(particles, out, part * particles.energy, calorimeter, rng)
        for part, calorimeter, rng in zip(fractions.T, calorimeters, streams[1:], strict=True)
    ]
    return Reconstructed(_tracks(particles, out, chosen, streams[0]), *towers)


def _tracks(
    particles: Particles, out: Exits, card: SmearingCard, rng: np.random.Generator
) -> Tracks:
    efficiency, resolution = tracking(particles, out.eta, card)
    found = out.inside & (rng.random(len(particles)) < efficiency)
    smeared = log_normal(particles.pt, np.minimum(resolution, 1.0) * particles.pt, rng)
    source = np.flatnonzero(found)
    kept = particles.take(source)
    columns = (kept.event, kept.pdg, smeared[source], kept.eta, kept.phi, kept.mass, kept.vertex)
    return Tracks(Particles(*columns, n_events=particles.n_events), source)


def tracking(
    particles: Particles, eta: FloatArray, card: SmearingCard
) -> tuple[FloatArray, FloatArray]:
    """Return tracking efficiency and relative p_T resolution (n,); 0 for neutral particles.

    Args:
        particles: the particles.
        eta: pseudorapidity of the point where each leaves the tracker (n,).
        card: the card.
    """
    size, pt = np.abs(particles.pdg), particles.pt
    left: BoolArray = particles.charge != 0
    efficiency, resolution = np.zeros(len(particles)), np.zeros(len(particles))
    rows = sorted(card.tracks, key=lambda row: row.particles == OTHER)
    for row in rows:
        mine = left & (True if row.particles == OTHER else np.isin(size, row.particles))
        left = left & ~mine
        for band in row.efficiency:
            efficiency[mine] += band.at(eta[mine], pt[mine])
        for resolved in row.resolution:
            resolution[mine] += resolved.at(eta[mine], pt[mine])
    return efficiency, resolution


def _towers(
    particles: Particles,
    out: Exits,
    energy: FloatArray,
    card: CalorimeterCard,
    rng: np.random.Generator,
) -> Towers:
    """Return the towers that particles leave energies (n,) in, MeV."""
    edges, counts = card.eta_edges, card.phi_counts
    eta, phi = out.eta, out.phi
    ring = np.searchsorted(edges, np.abs(eta), side="left") - 1
    ring = np.where(eta == 0, 0, ring)
    hit = np.flatnonzero(out.inside & (energy > 0) & (ring < len(counts)))
    ring, eta, phi = ring[hit], eta[hit], phi[hit]
    column = ((phi + np.pi) / (2 * np.pi) * counts[ring]).astype(np.int64) % counts[ring]
    first = np.concatenate([[0], np.cumsum(np.tile(counts, 2))])
    place = ring + len(counts) * (eta < 0)
    total = int(first[-1])
    key = particles.event[hit] * total + first[place] + column
    keys, one, of = np.unique(key, return_index=True, return_inverse=True)
    deposited = np.bincount(of, energy[hit], len(keys)).astype(np.float64)
    event, tower = np.divmod(keys, total)
    ring, column, sign = ring[one], column[one], np.where(eta[one] < 0, -1, 1)
    width = edges[ring + 1] - edges[ring]
    middle = sign * (edges[ring] + width / 2)
    measured = log_normal(deposited, card.sigma(middle, deposited), rng)
    significant = measured >= card.smallest_significance * card.sigma(middle, measured)
    measured[~significant | (measured < card.smallest_energy)] = 0.0
    u, v = rng.random((2, len(keys))) if card.spread_centres else np.full((2, len(keys)), 0.5)
    return Towers(
        event,
        tower,
        sign * (edges[ring] + width * u),
        -np.pi + 2 * np.pi * (column + v) / counts[ring],
        measured,
        deposited,
        particles.n_events,
    )
