"""GFlash: its formulas in closed form, its showers in a block that holds them, its fit."""

from dataclasses import replace

import numpy as np
import pytest

import simulacra as sim
from simulacra.conditions import Conditions
from simulacra.detectors import load_detector, parse_detector
from simulacra.detectors.calorimeter.matter import energy_shares, medium_of
from simulacra.errors import CardError, SimulatorError
from simulacra.simulators.classical.build import build
from simulacra.simulators.classical.gflash import tuning
from simulacra.simulators.classical.gflash.formulas import (
    contained,
    longitudinal,
    radial,
)
from simulacra.simulators.classical.gflash.showers import energies, shapes_of, tracks_of
from simulacra.simulators.classical.gflash.stack import steps_of

BLOCK = """
kind: calorimeter
name: block
volume: {kind: box, width: [4000 mm, 4000 mm]}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: slice
    repeat: 40
    slabs: [{material: G4_PbWO4, thickness: 10 mm, sensitive: true}]
    readout: {each: true, segmentation: {kind: cartesian, cell: [500 mm, 500 mm]}}
"""
SANDWICH = """
kind: calorimeter
name: sandwich
volume: {kind: box, width: [300 mm, 300 mm]}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: front
    repeat: 8
    slabs: &plates
      - {material: G4_Pb, thickness: 2 mm}
      - {material: G4_lAr, thickness: 4 mm, sensitive: true}
    readout: {sampling_fraction: 0.2, segmentation: {kind: cartesian, cell: [20 mm, 20 mm]}}
  - name: middle
    repeat: 20
    slabs: *plates
    readout: {sampling_fraction: 0.2, segmentation: {kind: cartesian, cell: [20 mm, 20 mm]}}
  - name: back
    repeat: 40
    slabs: *plates
    readout: {sampling_fraction: 0.2, segmentation: {kind: cartesian, cell: [60 mm, 60 mm]}}
"""


@pytest.fixture(scope="module")
def block():
    return parse_detector(BLOCK)


@pytest.fixture(scope="module")
def tungstate(block):
    return medium_of(block.stack[0].slabs, {})


def at(energy, n):
    return Conditions({"energy": np.full(n, energy, np.float32)})


def test_the_profile_has_the_moments_of_gamma():
    """Mean depth α / β and variance α / β², with β = (α − 1) / T."""
    maximum, alpha = np.array([6.0]), np.array([4.0])
    beta = (alpha - 1) / maximum
    t = np.linspace(0, 200, 400_001)
    part, middle = np.diff(contained(t, maximum, alpha)), (t[1:] + t[:-1]) / 2
    mean = np.sum(part * middle)
    assert part.sum() == pytest.approx(1)
    assert mean == pytest.approx(alpha[0] / beta[0], rel=1e-4)
    assert np.sum(part * middle**2) - mean**2 == pytest.approx(alpha[0] / beta[0] ** 2, rel=1e-4)
    assert middle[part.argmax()] == pytest.approx(maximum[0], abs=1e-2)


def test_published_numbers_at_an_energy(tungstate):
    """By hand for y = E / E_c = 1000: ln y = 6.908."""
    energy, log_y = np.array([1000 * tungstate.matter.critical_energy]), np.log(1000)
    shape = longitudinal(energy, tungstate)
    assert np.exp(shape.mean_t) == pytest.approx(log_y - 0.812)
    z = tungstate.matter.z
    assert np.exp(shape.mean_alpha) == pytest.approx(0.81 + (0.458 + 2.26 / z) * log_y)
    assert shape.sigma_t == pytest.approx(1 / (-1.4 + 1.26 * log_y))
    assert shape.correlation == pytest.approx(0.705 - 0.023 * log_y)


def test_lengths_and_shapes_are_correlated_as_published(tungstate):
    energy = np.full(40_000, 1e4)
    shape = longitudinal(energy, tungstate)
    t, alpha = shape.drawn(np.random.default_rng(1).standard_normal((2, len(energy))))
    found = np.corrcoef(np.log(t), np.log(alpha))[0, 1]
    assert found == pytest.approx(shape.correlation[0], abs=0.01)
    assert np.log(t).std() == pytest.approx(shape.sigma_t[0], rel=0.02)


@pytest.mark.parametrize("tau", [0.3, 1.0, 2.0])
def test_the_radial_profile_is_normalised(tungstate, tau):
    profile = radial(np.array(tau), np.array(1e4), tungstate)
    r = np.geomspace(1e-5, 1e3, 200_001)
    density = profile.density(r)
    integral = np.sum((density[1:] + density[:-1]) / 2 * np.diff(r))
    assert integral == pytest.approx(1, abs=1e-4)
    assert profile.within(np.array(2.0)) == pytest.approx(
        np.sum(((density[1:] + density[:-1]) / 2 * np.diff(r))[r[1:] <= 2.0]), abs=1e-4
    )


@pytest.mark.parametrize("energy", [1e3, 1e4, 1e5])
def test_a_moliere_radius_holds_nine_tenths(tungstate, energy):
    """The definition of the radius, which the published constants keep to within 5 %."""
    n = 200
    shape = longitudinal(np.full(n, energy), tungstate)
    t, alpha = (x[:, None] for x in shape.drawn(np.random.default_rng(1).standard_normal((2, n))))
    depth = np.linspace(0, 40, 161)
    part = np.diff(contained(depth, t, alpha), axis=1)
    mean = np.exp(shape.mean_alpha[:, None])
    tau = (depth[1:] + depth[:-1]) / 2 / t * (alpha - 1) / alpha * mean / (mean - 1)
    within = radial(tau, np.array(energy), tungstate).within(np.array(1.0))
    assert np.sum(part * within, axis=1).mean() == pytest.approx(0.9, abs=0.05)


def test_shares_of_pairs_follow_bethe_and_heitler():
    x = energy_shares(np.random.default_rng(1).random(100_000))
    assert x.mean() == pytest.approx(0.5, abs=3e-3)
    assert np.mean(x**2) == pytest.approx(12 / 35, abs=3e-3)
    assert np.mean(x < 0.1) == pytest.approx(9 / 7 * (0.1 - 2 / 3 * 0.01 + 4 / 9 * 1e-3), abs=3e-3)


@pytest.mark.parametrize(("particle", "pdg"), [("e-", 11), ("e+", -11), ("gamma", 22)])
def test_energy_is_conserved(block, particle, pdg):
    """Steps and what leaves at the back add up; a block large enough holds all but tails."""
    steps, n = steps_of(block), 50
    rng = np.random.default_rng(1)
    tracks = tracks_of(np.full(n, 1e4), np.full(n, pdg), np.ones(n), rng.random((n, 2)))
    simulator = build("gflash", block, particle=particle)
    shapes = shapes_of(tracks, steps, simulator.options, rng.standard_normal((2, len(tracks))))
    deposited = energies(tracks, shapes, steps).sum(axis=1)
    assert np.all(deposited <= tracks.energy * (1 + 1e-9))
    response = simulator.simulate(at(1e4, n), 1)["showers"].sum(axis=1) / 1e4
    assert response.mean() == pytest.approx(1, abs=5e-3)
    assert np.all(response <= 1 + 1e-5)


def test_photons_start_later_than_electrons(block):
    depths = np.array([layer.depth for layer in block.layers])
    mean = {}
    for particle in ("e-", "gamma"):
        showers = build("gflash", block, particle=particle).simulate(at(1e4, 400), 1)["showers"]
        profile = showers.reshape(400, 40, -1).sum(axis=(0, 2))
        mean[particle] = np.sum(profile * depths) / profile.sum()
    assert 0.3 < (mean["gamma"] - mean["e-"]) / 8.92 < 1.3  # radiation lengths


def test_sampling_fluctuations_are_the_stochastic_term():
    """All else off, σ/E = c / √E whatever the number of steps."""
    detector = parse_detector(SANDWICH)
    options = {"stochastic": 0.12, "fluctuation": 1e-6}
    simulator = build("gflash", detector, particle="e-", options=options)
    total = simulator.simulate(at(4000, 1500), 1)["showers"].sum(axis=1, dtype=float)
    assert total.std() / total.mean() == pytest.approx(0.12 / 2, rel=0.12)


def test_inclined_showers_follow_the_line_and_the_window():
    simulator = build("gflash", "par04-siw", particle="gamma")
    n = 60
    columns = {"energy": np.full(n, 1e4, np.float32), "theta": np.full(n, 0.5, np.float32)}
    inclined = simulator.simulate(Conditions(columns), 1)["showers"]
    straight = simulator.simulate(Conditions(columns | {"theta": np.zeros(n, np.float32)}), 1)[
        "showers"
    ]
    layer = np.arange(45)
    depth = [
        np.sum(s.reshape(n, 45, -1).sum(axis=(0, 2)) * layer) / s.sum()
        for s in (straight, inclined)
    ]
    assert depth[1] < depth[0]  # more matter along the line
    core = [s.reshape(n, 45, 16, 9)[..., 0].sum() / s.sum() for s in (straight, inclined)]
    assert core[1] == pytest.approx(core[0], rel=0.25)  # rings are around the line


def test_blocks_do_not_depend_on_what_comes_after(monkeypatch):
    from simulacra.simulators.classical.gflash import simulator as module

    monkeypatch.setattr(module, "MOST_SPOTS", 3000)
    simulator = build("gflash", "calogan", particle="gamma")
    many = Conditions({"energy": np.geomspace(1e3, 2e4, 23).astype(np.float32)})
    assert len(list(simulator.blocks(many, 1))) > 3
    few = simulator.simulate(many[:9], 1)["showers"]
    assert np.array_equal(simulator.simulate(many, 1)["showers"][:9], few)


def test_what_it_cannot_do_is_refused():
    for arguments, words in (
        ((("gflash", "atlas-barrel"), {"particle": "pi+"}), "serves e-, e\\+, gamma, not pi"),
        ((("gflash", "alice-tpc"), {"particle": "e-"}), "calorimeter with matter"),
        ((("gflash", "calochallenge-2"), {"particle": "e-"}), "calorimeter with matter"),
        ((("gflash", "atlas-barrel"), {}), "which particle"),
        ((("gflash",), {"particle": "e-"}), "which detector"),
        ((("gflsh", "atlas-barrel"), {"particle": "e-"}), "no classical simulation"),
    ):
        with pytest.raises(SimulatorError, match=words):
            build(*arguments[0], **arguments[1])
    with pytest.raises(CardError, match="cores"):
        build("gflash", "atlas-barrel", particle="e-", options={"cores": 1.1})
    with pytest.raises(SimulatorError, match="no section 'strip'"):
        build("gflash", "atlas-barrel", particle="e-", options={"response": {"strip": 1.1}})


def test_particles_are_told_apart_by_a_condition():
    simulator = build("gflash", "atlas-barrel", particle="e-,gamma")
    assert simulator.chooses_particle
    events = simulator.generate("4GeV", 6, 1, "e-,gamma")
    assert events.conditions["pdg"].tolist() == [11, 22] * 3


def test_a_damaged_folder_is_refused(tmp_path):
    simulator = build("gflash", "calogan", particle="e-", output=tmp_path / "gflash")
    with pytest.raises(SimulatorError, match="is there already"):
        build("gflash", "calogan", particle="e-", output=tmp_path / "gflash")
    assert sim.load_simulator(tmp_path / "gflash").options == simulator.options
    (tmp_path / "gflash" / "arrays.npz").write_bytes(b"nothing")
    with pytest.raises(SimulatorError, match="missing or was changed"):
        sim.load_simulator(tmp_path / "gflash")


@pytest.mark.slow
def test_the_fit_finds_constants_that_made_a_sample(monkeypatch):
    monkeypatch.setattr(tuning, "PROFILES", 128)
    detector = parse_detector(SANDWICH)
    truth = {"depth": 0.12, "stochastic": 0.16, "response": {"front": 0.9, "middle": 1.1}}
    made = build("gflash", detector, particle="e-", options=truth)
    sample = made.generate("2GeV,8GeV", 500, 1)
    found = build("gflash", sample=sample).options
    assert found.depth == pytest.approx(0.12, abs=0.05)
    assert found.stochastic == pytest.approx(0.16, rel=0.15)
    assert found.response["front"] == pytest.approx(0.9, rel=0.05)
    fitted = replace(made, options=found)
    means = [s.generate("4GeV", 300, 2)["showers"].sum(axis=1).mean() for s in (made, fitted)]
    assert means[1] == pytest.approx(means[0], rel=0.01)


def test_few_events_are_no_sample():
    few = build("gflash", load_detector("calogan"), particle="e-").generate("1GeV", 20, 1)
    with pytest.raises(SimulatorError, match="fitted to 100 events or more"):
        build("gflash", sample=few)
