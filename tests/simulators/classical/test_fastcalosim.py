"""FastCaloSim: what is drawn has the distributions, correlations and profiles of the sample."""

from dataclasses import replace

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector, parse_detector
from simulacra.detectors.calorimeter.points import Lines
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.simulators.classical.build import build
from simulacra.simulators.classical.fastcalosim.lateral import (
    Positions,
    hit_energies,
    mean_beyond_first,
    ring_edges,
    unfolded,
)
from simulacra.simulators.classical.fastcalosim.longitudinal import Component, Inverse, divided
from simulacra.simulators.classical.fastcalosim.response import (
    between,
    effective_width,
    smoothed,
)
from tests.conftest import random_events
from tests.simulators.classical.test_frozen_showers import COARSE

RNG = np.random.default_rng


def layers_of(events):
    """Energies of layers (n, l)."""
    cells = [layer.cells for layer in events.detector.layers]
    return np.stack([events["showers"][:, c].sum(axis=1, dtype=float) for c in cells], axis=1)


# --- longitudinal ------------------------------------------------------------------------------


def test_an_inverse_distribution_gives_back_the_sample_and_its_empty_share():
    rng = RNG(1)
    sample = rng.exponential(1.0, (2000, 1)) * (rng.random((2000, 1)) > 0.3)
    found = Inverse.of(sample)(rng.standard_normal((20_000, 1)))
    assert np.mean(found == 0) == pytest.approx(0.3, abs=0.02)
    assert found.mean() == pytest.approx(sample.mean(), rel=0.05)
    assert found.std() == pytest.approx(sample.std(), rel=0.08)
    assert found.max() <= sample.max()


def test_what_is_drawn_has_the_correlations_of_the_sample():
    """Of monotone functions of correlated normal numbers they are reproduced."""
    rng = RNG(2)
    x = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 3000)
    shares = 1 / (1 + np.exp(-x[:, :1]))
    sample = np.column_stack([shares, 1 - shares, np.exp(0.1 * x[:, 1])])
    found = Component.of(sample, rng).drawn(rng.standard_normal((20_000, 3)))
    assert found[:, :2].sum(axis=1) == pytest.approx(1)
    assert found.mean(axis=0) == pytest.approx(sample.mean(axis=0), rel=0.02)
    assert np.corrcoef(found.T) == pytest.approx(np.corrcoef(sample.T), abs=0.05)


def test_few_showers_have_fewer_bins():
    rng = RNG(3)
    for n, bins in ((50, 1), (250, 2), (5000, 5)):
        part, number = divided(rng.random((n, 4)), 5, 100, rng)
        assert number == bins
        assert np.ptp(np.bincount(part)) <= 1


# --- response ----------------------------------------------------------------------------------


def test_splines_pass_through_their_points_and_go_on_straight():
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 1.5, 1.7, 1.8])
    assert between(x, y, x) == pytest.approx(y)
    assert between(x, y, np.array([-2.0])) == pytest.approx([1.0])
    beyond = between(x, y, np.array([3.0, 4.0, 5.0, 6.0]))
    assert np.diff(beyond, 2) == pytest.approx(0)
    assert between(x[:1], y[:1], x) == pytest.approx(1.0)
    assert between(x[:2], y[:2], np.array([0.5, 2.0])) == pytest.approx([1.25, 2.0])


def test_smoothing_takes_off_noise_and_leaves_what_is_exact():
    rng, x = RNG(4), np.linspace(0, 5, 12)
    curve = 1 + 0.1 * np.sqrt(x)
    noisy = curve + rng.normal(0, 0.01, (300, 12))
    found = np.array([smoothed(x, y, np.full(12, 0.01)) for y in noisy])
    assert np.mean((found - curve) ** 2) < 0.7 * 0.01**2
    assert smoothed(x, curve, np.full(12, 1e-7)) == pytest.approx(curve, abs=1e-5)
    assert effective_width(rng.standard_normal(100_000)) == pytest.approx(1, abs=0.01)


# --- lateral -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def middle():
    """The middle layer of atlas-barrel, cells of 40 mm, and 300 particles anywhere in a cell."""
    detector = load_detector("atlas-barrel")
    rng = RNG(5)
    columns = detector.draw(np.full(300, 1000.0), rng)
    lines = Lines.of(detector, columns, rng)
    layer = next(layer for layer in detector.layers if layer.name == "middle")
    return detector, lines, layer, ring_edges(layer, 12)


def _truth(edges, alpha):
    """A profile of 10 mm: much narrower than a cell."""
    inside = 1 - np.exp(-edges / 10.0)
    return np.tile(np.diff(inside) / inside[-1] / alpha, alpha)


def test_profiles_narrower_than_a_cell_are_unfolded(middle):
    edges, alpha = middle[3], 4
    truth = _truth(edges, alpha)
    fine = Positions.of(*middle, alpha, 40, RNG(6))
    cells = 1000 * fine.model(truth[fine.bin], 300)
    positions = Positions.of(*middle, alpha, 6, RNG(7))
    (found,) = unfolded(cells, positions, np.zeros(300, np.int64), 1, len(truth))
    held, wanted = (p.reshape(alpha, -1).sum(axis=0).cumsum() for p in (found, truth))
    assert held == pytest.approx(wanted, abs=0.04)


@pytest.mark.parametrize("number", [20, 200])
def test_the_number_of_hits_is_found_from_fluctuations(middle, number):
    edges, alpha = middle[3], 4
    truth, rng = _truth(edges, alpha), RNG(8)
    positions = tuple(Positions.of(*middle, alpha, 8, RNG(seed)) for seed in (9, 10))
    weights = tuple(truth[p.bin] for p in positions)
    model = Positions.of(*middle, alpha, 40, RNG(11))
    shares = model.model(truth[model.bin], 300)
    cells = np.array([rng.multinomial(rng.poisson(number), s / s.sum()) for s in shares])
    found = hit_energies(cells.astype(float), positions, weights, edges)
    of_energy = np.average(found[:-3], weights=truth.reshape(alpha, -1).sum(axis=0)[:-3])
    assert of_energy == pytest.approx(1 / number, rel=0.25)


def test_one_hit_and_more_have_the_variance_that_is_asked_for():
    rng = RNG(12)
    wanted = np.array([0.01, 0.1, 0.5, 0.9])
    hits = 1 + rng.poisson(mean_beyond_first(wanted), (100_000, 4))
    assert (1 / hits).mean(axis=0) == pytest.approx(wanted, rel=0.02)


def test_rings_of_polar_layers_are_their_own():
    layer = load_detector("atlas-voxels").layers[1]
    assert ring_edges(layer, 20)[:17] == pytest.approx(layer.segmentation.r_edges)
    cells = load_detector("atlas-barrel").layers[1]
    edges = ring_edges(cells, 20)
    assert edges[1] == pytest.approx(0.5)
    assert edges[-1] == pytest.approx(np.hypot(56 * 5, 3 * 160), rel=1e-6)


# --- the whole ---------------------------------------------------------------------------------

STRAIGHT = COARSE.replace(", theta: [0, 0.4]", "").replace(
    "  theta: {role: linear, unit: rad}\n", ""
)


@pytest.fixture(scope="module")
def stored():
    """Showers of GFlash in cells that stand still; they take the place of full simulation."""
    made = build("gflash", parse_detector(STRAIGHT), particle="e-")
    return made.generate("1GeV,2GeV,4GeV", 600, 1)


@pytest.fixture(scope="module")
def fast(stored):
    return build("fastcalosim", sample=stored)


def _at(stored, energy, n):
    one = stored[stored["energy"] == 1000]
    rows = np.arange(n) % len(one)
    columns = {k: v[rows] for k, v in one.conditions.columns.items()}
    return Conditions(columns | {"energy": np.full(n, energy, np.float32)})


@pytest.mark.parametrize("energy", [1000, 4000])
def test_layers_of_generated_showers_are_those_of_the_sample(stored, fast, energy):
    n = 2000
    ours = layers_of(fast.simulate(_at(stored, energy, n), 1)) / energy
    full = layers_of(stored[stored["energy"] == energy]) / energy
    error = full.std(axis=0) / np.sqrt(len(full))
    assert np.all(np.abs(ours.mean(axis=0) - full.mean(axis=0)) < 4 * error)
    assert ours.std(axis=0) == pytest.approx(full.std(axis=0), rel=0.2)
    assert np.corrcoef(ours.T) == pytest.approx(np.corrcoef(full.T), abs=0.25)


def test_between_energies_the_response_follows_the_spline(stored, fast):
    n = 3000
    means = [layers_of(fast.simulate(_at(stored, e, n), 2)).sum(axis=1).mean() / e
             for e in (2000, 2800, 4000)]  # fmt: skip
    assert min(means[0], means[2]) * 0.995 < means[1] < max(means[0], means[2]) * 1.005


def test_cells_are_where_the_particle_enters(stored, fast):
    events = fast.simulate(stored.conditions, 3)
    cells = events["showers"].reshape(len(events), -1, 10, 10)
    centre = np.arange(10) * 20 - 90
    for axis, name in ((2, "impact_x"), (3, "impact_y")):
        profile = cells.sum(axis=(1, 5 - axis))
        mean = (profile * centre).sum(axis=1) / profile.sum(axis=1)
        slope = np.polyfit(stored[name], mean, 1)[0]
        assert slope == pytest.approx(1, abs=0.1)


def test_lateral_shares_are_those_of_the_sample(stored, fast):
    """Mean energy of the hottest cell of the layer with most energy."""
    events = fast.simulate(stored.conditions, 4)
    layer = int(layers_of(stored).mean(axis=0).argmax())
    cells = slice(layer * 100, layer * 100 + 100)
    ours, full = (e["showers"][:, cells].max(axis=1) / e["energy"] for e in (events, stored))
    assert ours.mean() == pytest.approx(full.mean(), rel=0.05)


@pytest.mark.slow
def test_published_numbers_of_hits_may_be_asked_for(stored):
    made = build("fastcalosim", sample=stored, options={"stochastic": 0.5})
    events = made.simulate(stored.conditions, 1)
    assert layers_of(events).sum() == pytest.approx(layers_of(stored).sum(), rel=0.05)


@pytest.mark.parametrize("name", ["calogan", "atlas-voxels", "atlas-barrel"])
def test_it_reads_out_cells_of_every_kind(name):
    """Each layer has the energy that was drawn for it, wherever hits may have fallen."""
    sample = build("gflash", name, particle="gamma").generate("1GeV", 60, 1)
    made = build("fastcalosim", sample=sample, options={"relevant": 0})
    events = made.simulate(sample.conditions, 2)
    ours, full = layers_of(events), layers_of(sample)
    assert ours.mean(axis=0) == pytest.approx(full.mean(axis=0), rel=0.6, abs=10)
    assert ours.sum() == pytest.approx(full.sum(), rel=0.1)


@pytest.mark.slow
def test_angles_and_particles_have_bins_of_their_own():
    made = build("gflash", parse_detector(COARSE), particle="e-,gamma")
    sample = made.generate("1GeV", 400, 1, "e-,gamma")
    notes = []
    fast = build("fastcalosim", sample=sample, options={"theta": 2}, on_note=notes.append)
    assert "4 bins of energy, theta, pdg" in notes[0]
    assert any("2 bins of 0.2 rad" in line for line in notes)
    for pdg in (11, 22):
        chosen = sample.conditions.take(np.flatnonzero(sample["pdg"] == pdg))
        ours = layers_of(fast.simulate(chosen, 1))
        full = layers_of(sample[sample["pdg"] == pdg])
        error = full.std(axis=0) / np.sqrt(len(full))
        assert np.all(np.abs(ours.mean(axis=0) - full.mean(axis=0)) < 5 * error)


def test_notes_say_what_few_showers_bear_out(stored):
    notes = []
    build("fastcalosim", sample=stored[:150], on_note=notes.append)
    assert any("1 PCA bins" in line and "fewer than 100 showers each" in line for line in notes)
    assert any("sides of the plane of incidence" in line for line in notes)


@pytest.mark.slow
def test_showers_beside_their_particles_are_told(stored):
    """A sample whose showers all lie to one side: no symmetry hides it."""
    moved = np.roll(stored["showers"].reshape(-1, 10), 1, axis=1).reshape(len(stored), -1)
    aside = Events(stored.conditions, {"showers": moved}, stored.detector).named("e-")
    notes = []
    made = build("fastcalosim", sample=aside, on_note=notes.append)
    assert any("mm beside the plane of incidence" in line for line in notes)
    cells = made.simulate(aside.conditions, 1)["showers"].reshape(len(aside), 6, 10, 10)
    centre = np.arange(10) * 20 - 90
    profile = cells.sum(axis=(1, 2))
    mean = (profile * centre).sum(axis=1) / profile.sum(axis=1) - aside["impact_y"]
    assert mean.mean() == pytest.approx(20, abs=4)


@pytest.mark.slow
def test_showers_without_energy_stay_as_frequent(stored):
    showers = stored["showers"].copy()
    showers[::4] = 0
    sample = Events(stored.conditions, {"showers": showers}, stored.detector).named("e-")
    made = build("fastcalosim", sample=sample)
    total = layers_of(made.simulate(_at(stored, 1000, 2000), 1)).sum(axis=1)
    expected = np.mean(layers_of(sample[sample["energy"] == 1000]).sum(axis=1) == 0)
    assert np.mean(total == 0) == pytest.approx(expected, abs=0.04)


def test_what_it_cannot_do_is_refused(stored):
    with pytest.raises(SimulatorError, match="made from full simulation"):
        build("fastcalosim", "calogan", particle="e-")
    with pytest.raises(SimulatorError, match=r"has \d+ showers with energy, fewer than 20"):
        build("fastcalosim", sample=stored[:30])
    made = build("fastcalosim", sample=random_events(load_detector("calogan"), 60).named("e-"))
    for name in ("chance", "bin_points", "group", "values"):
        wrong = dict(made.arrays)
        wrong[name] = wrong[name][..., :-1]
        with pytest.raises(SimulatorError, match="do not fit one another"):
            replace(made, arrays=wrong).check()
