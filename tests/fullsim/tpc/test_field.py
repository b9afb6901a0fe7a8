"""Narrow helices in a strong field: Geant4's search for a chord, and tracks that it ended."""

import math

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.fullsim import Geant4Settings, Geant4Simulator
from simulacra.fullsim.tpc.field import electron_path, exhausts_trials
from simulacra.fullsim.tpc.world import longest_step, longest_track
from tests.chambers import chamber

CHORD = 0.25


def chord_distance(step, width, turn):
    """Distance of chord and helix as ``G4ExactHelixStepper`` has it (Geant4 11.4)."""
    angle = 2 * math.pi * step / turn
    if angle >= 2 * math.pi:
        return width
    if angle >= math.pi:
        return width / 2 * (1 + math.cos((2 * math.pi - angle) / 2))
    return step / 2 * math.tan(angle / 4)


def found_in_time(step, width, turn):
    """Return whether ``G4ChordFinderDelegate::FindNextChord`` finds a step (Geant4 11.4)."""
    for _ in range(74):
        distance = chord_distance(step, width, turn)
        if distance < CHORD:
            return True
        shorter = 0.98 * step * math.sqrt(CHORD / distance)
        step = min(shorter, step) if shorter > 1e-3 * step else 0.5 * step
    return False


def test_every_step_that_exhausts_the_trials_is_seen_beforehand():
    rng = np.random.default_rng(1)
    exhausted = seen = 0
    for _ in range(20_000):
        width = CHORD * math.exp(rng.uniform(-0.1, 1.0))
        turn = width * math.pi * math.exp(rng.uniform(0, 3))
        step = math.exp(rng.uniform(0, 12))
        lost = not found_in_time(step, width, turn)
        said = exhausts_trials(width, turn, step, CHORD)
        assert said or not lost, (width, turn, step)
        exhausted, seen = exhausted + lost, seen + said
    assert 100 < exhausted <= seen < 3 * exhausted


def test_electrons_fly_no_farther_than_is_said():
    """Ranges in the continuous-slowing-down approximation, about those of neon, g/cm2."""
    for energy, path in ((0.01, 3.0e-4), (0.1, 0.018), (1.0, 0.54)):
        assert path < electron_path(energy) < 2 * path


def test_steps_and_tracks_are_long_enough_for_any_chamber():
    alice = load_detector("alice-tpc")
    assert longest_step(alice) == 15.0
    assert longest_step(chamber(magnetic_field=0.0)) == 15.0
    strong = longest_step(chamber(magnetic_field=-3.5))
    assert strong**2 / 8 / (200 / 0.299792458 * 1 / 3.5) < 0.022
    wide = chamber(drift_length=9000.0)
    assert longest_track(wide) > math.hypot(math.pi / 2 * wide.gas.outer_radius, 18_000) - 1


@pytest.mark.geant4
def test_narrow_helices_are_brought_through_a_strong_field():
    """Electrons of 131 to 140 keV/c across 3.5 T, which turn in the vacuum up to the end plate.

    And pions, which turn on the radius of field and momentum.
    """
    detector, rng = chamber(magnetic_field=3.5, species=(11, 211, -211)), np.random.default_rng(1)
    electrons, pions = 60, 24
    n = electrons + pions
    columns = detector.draw(np.full(n, 400.0), rng)
    columns["pdg"][:] = np.where(np.arange(n) < electrons, 11, rng.choice([211, -211], n))
    narrow = slice(0, electrons)
    columns["transverse_momentum"][narrow] = rng.uniform(0.1312, 0.140, electrons)
    columns["pseudorapidity"][narrow] = rng.uniform(1.0, 1.9, electrons)
    events = Geant4Simulator(detector, Geant4Settings()).simulate(Conditions(columns), seed=1)
    events.check()
    turned = []
    for i in range(electrons, n):
        rows = np.flatnonzero(events["cluster_mask"][i])
        if len(rows) < 5:
            continue
        x, y = events["clusters"][i, rows[0], :2]
        positive = columns["pdg"][i] > 0
        sine = np.hypot(x, y) / 2 * 0.299792458 * 3.5 / 400 * (-1 if positive else 1)
        off = np.arctan2(y, x) - columns["phi"][i] - np.arcsin(sine)
        turned.append((off + np.pi) % (2 * np.pi) - np.pi)
    assert len(turned) > pions / 2
    assert abs(np.median(turned)) < 0.02
