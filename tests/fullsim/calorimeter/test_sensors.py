"""Birks' law and the time cut, as a function and in Geant4."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.conditions import Conditions
from simulacra.detectors import parse_detector
from simulacra.fullsim import Geant4Settings, Geant4Simulator
from simulacra.fullsim.calorimeter.sensors import light_of, visible

PLATES = """
kind: calorimeter
name: plates
volume: {kind: box, width: [400 mm, 400 mm]}
production_cut: 0.7 mm
beam: {z: -3 m}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: plates
    repeat: 4
    slabs:
      - {material: G4_Al, thickness: 1 mm}
      - {material: G4_POLYSTYRENE, thickness: 5 mm, sensitive: true}
    readout: {each: true, segmentation: {kind: cartesian, cell: [50 mm, 50 mm]}}
"""
FACTOR = 0.126
BIRKS = f"birks: {{G4_POLYSTYRENE: {FACTOR} mm/MeV}}\n"


def plates(top="", readout=""):
    return parse_detector(top + PLATES.replace("readout: {", f"readout: {{{readout}"))


positive = st.floats(1e-6, 1e3)


@given(positive, positive, positive)
def test_birks_law(deposit, length, factor):
    seen = visible(deposit, length, -1.0, factor)
    assert seen == pytest.approx(deposit / (1 + factor * deposit / length))
    assert seen <= deposit
    assert seen <= length / factor * (1 + 1e-12)  # the light of a length saturates
    assert visible(deposit, length, 1.0, 0.0) == deposit
    assert visible(deposit, length, 0.0, factor) == deposit  # neutral: no track
    assert visible(deposit, 0.0, 1.0, factor) == deposit


def test_light_is_of_the_sections_that_state_it():
    assert light_of(plates(), "plates").is_energy
    assert light_of(plates(BIRKS), "plates").birks == {"G4_POLYSTYRENE": FACTOR}
    assert light_of(plates(readout="time_cut: 20 ns, "), "plates").time_cut == 20


def showers(detector, particle, energy, n=30):
    conditions = Conditions({"energy": np.full(n, energy, np.float32)})
    settings = Geant4Settings(particle=particle, physics="opt0")
    return Geant4Simulator(detector, settings).simulate(conditions, 1)["showers"]


@pytest.mark.geant4
def test_light_of_muons_and_protons():
    """The same particles, step by step the same: light in time is the energy, saturated or not."""
    energy = showers(plates(), "mu-", 2000.0)
    in_time = showers(plates(readout="time_cut: 1 ns, "), "mu-", 2000.0)
    saturated = showers(plates(BIRKS), "mu-", 2000.0)
    # a muon keeps up with light, however far away it starts
    np.testing.assert_allclose(in_time, energy, rtol=1e-5, atol=1e-6)
    assert np.all(saturated <= energy * (1 + 1e-6))
    typical = float(np.median(energy.reshape(30, 4, -1).sum(axis=2))) / 5  # MeV/mm
    light = np.median(saturated.sum(axis=1) / energy.sum(axis=1))
    assert light == pytest.approx(1 / (1 + FACTOR * typical), abs=0.006)


@pytest.mark.geant4
def test_slow_particles_are_late():
    """A proton of 60 MeV has 0.34 of the speed of light: 19 ns behind it after 3 m."""
    early, late = (
        showers(plates(readout=f"time_cut: {cut} ns, "), "proton", 60.0, 4).sum()
        for cut in (15, 25)
    )
    assert early == 0
    assert late > 4 * 20
