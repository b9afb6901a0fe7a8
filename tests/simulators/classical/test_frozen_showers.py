"""Frozen showers: what is drawn is what was stored; moved, turned and scaled."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import SimulatorError
from simulacra.simulators.classical.build import build
from tests.conftest import random_events

FINE = """
kind: calorimeter
name: fine
volume: {kind: box, width: [200 mm, 200 mm]}
beam: {x: [-20 mm, 20 mm], y: [-20 mm, 20 mm], theta: [0, 0.4]}
conditions:
  energy: {role: log, unit: MeV}
  theta: {role: linear, unit: rad}
  impact_x: {role: linear, unit: mm}
  impact_y: {role: linear, unit: mm}
stack:
  - name: layer
    repeat: 6
    slabs:
      - {material: G4_Pb, thickness: 6 mm}
      - {material: G4_lAr, thickness: 6 mm, sensitive: true}
    readout:
      each: true
      sampling_fraction: 0.3
      segmentation: {kind: cartesian, cell: [2 mm, 2 mm]}
"""
SPOT = {"x": ["-40 mm", "40 mm"], "y": ["-80 mm", "80 mm"], "z": "-1 mm"}
COARSE = FINE.replace("name: fine", "name: coarse").replace("[2 mm, 2 mm]", "[20 mm, 20 mm]")


@pytest.fixture(scope="module")
def stored():
    """Showers of a detector whose only condition is the energy."""
    return random_events(load_detector("calogan"), 300, 1).named("gamma")


@pytest.fixture(scope="module")
def library(stored):
    return build("frozen-showers", sample=stored)


def shape_of(events):
    return events["showers"] / events["energy"][:, None]


def test_each_shower_is_one_of_its_bin(stored, library):
    fast = library.simulate(stored.conditions, 1)
    for energy in (1000, 4000):
        ours, theirs = (shape_of(e[e["energy"] == energy]).round(6) for e in (fast, stored))
        rows = {row.tobytes() for row in theirs}
        assert all(row.tobytes() in rows for row in ours)


def test_distributions_within_a_bin_are_those_of_the_library(stored, library):
    """By construction: many draws have the library's mean and width of each layer."""
    n = 5_000
    fast = library.simulate(Conditions({"energy": np.full(n, 1000, np.float32)}), 1)
    theirs = shape_of(stored[stored["energy"] == 1000])
    for layer in stored.detector.layers:
        ours, full = (s[:, layer.cells].sum(axis=1) for s in (shape_of(fast), theirs))
        assert ours.mean() == pytest.approx(full.mean(), abs=5 * full.std() / np.sqrt(n))
        assert ours.std() == pytest.approx(full.std(), rel=0.05)


def test_between_points_both_neighbours_are_scaled(stored, library):
    """Halfway in ln E half of the showers come from either energy."""
    n = 4000
    fast = library.simulate(Conditions({"energy": np.full(n, 2000, np.float32)}), 1)
    low = {row.tobytes() for row in shape_of(stored[stored["energy"] == 1000]).round(5)}
    part = np.mean([row.tobytes() in low for row in shape_of(fast).round(5)])
    assert part == pytest.approx(0.5, abs=0.04)


def test_reuse_is_counted(library, stored):
    n = 3000
    conditions = Conditions({"energy": np.full(n, 1000, np.float32)})
    reuse = library.reuse(conditions, 1)
    showers = int(np.sum(stored["energy"] == 1000))
    assert reuse.events == n
    assert reuse.distinct == showers  # 20 of each on average
    assert reuse.effective == pytest.approx(showers, rel=0.1)
    few = library.reuse(conditions[:10], 1)
    assert few.distinct <= few.events == 10


@pytest.fixture(scope="module")
def fine():
    """Showers of GFlash in small cells stand for full simulation."""
    made = build("gflash", parse_detector(FINE), particle="e-")
    return made.generate("1GeV..4GeV", 120, 1)


def test_points_of_a_finer_readout_serve_a_coarse_one(fine):
    """The energy is that of the library; the shower is where the particle enters."""
    coarse = parse_detector(COARSE)
    library = build("frozen-showers", coarse, sample=fine)
    n = 200
    straight = {"energy": np.full(n, 2000, np.float32), "theta": np.zeros(n, np.float32)}
    showers = []
    for x, y in ((1.0, 1.0), (41.0, -29.0)):
        impact = {"impact_x": np.full(n, x, np.float32), "impact_y": np.full(n, y, np.float32)}
        events = library.simulate(Conditions(straight | impact), 1)
        showers.append(events["showers"].reshape(n, -1, 10, 10))
    middle, moved = showers
    assert moved.sum() == pytest.approx(middle.sum(), rel=0.05)  # more leaves at the side
    centre = np.arange(10) * 20 - 90
    for axis, impact in ((2, 41.0), (3, -29.0)):
        profile = moved.sum(axis=(0, 1, 5 - axis))
        assert np.sum(profile * centre) / profile.sum() == pytest.approx(impact, abs=5)


def test_points_of_a_shower_are_the_sums_of_its_cells(fine):
    """Asked for under its own conditions, not turned: each coarse cell holds its 100 fine ones."""
    one = fine[:1]
    library = build("frozen-showers", parse_detector(COARSE), sample=one, options={"turn": False})
    assert library.describe()["stored as"] == "points"
    sums = one["showers"].reshape(6, 10, 10, 10, 10).sum(axis=(2, 4))
    found = library.simulate(one.conditions, 1)["showers"].reshape(6, 10, 10)
    assert found == pytest.approx(sums, rel=1e-4, abs=1e-4)


def test_bins_without_showers_take_the_nearest(fine):
    notes = []
    library = build(
        "frozen-showers", sample=fine, options={"impact": 8, "theta": 8}, on_note=notes.append
    )
    assert "are empty and take the showers of the nearest" in notes[0]
    assert len(library.generate("1GeV..4GeV", 50, 3)) == 50


def test_what_it_cannot_do_is_refused(fine):
    with pytest.raises(SimulatorError, match="made from full simulation"):
        build("frozen-showers", "calogan", particle="e-")
    with pytest.raises(SimulatorError, match="whose plates are not those of calogan"):
        build("frozen-showers", "calogan", sample=fine)


@pytest.mark.parametrize("kind", ["frozen-showers", "fastcalosim"])
def test_a_library_answers_below_an_energy_in_a_hybrid_run(kind, tmp_path):
    """Rules take it as any simulator: by its folder, its particles and its ranges."""
    from simulacra.hybrid import simulate_hybrid
    from tests.hybrid.conftest import PretendedGeant4, card

    detector = load_detector("atlas-barrel")
    sample = build("gflash", detector, particle="gamma").generate("500MeV..2GeV", 200, 1)
    build(kind, sample=sample, options={"per_decade": 5}, output=tmp_path / "library")
    rules = [{"particles": ["gamma"], "simulator": "photons", "energy": ["500 MeV", "2 GeV"]}]
    chosen = card(
        simulators={"photons": str(tmp_path / "library")},
        rules=rules,
        particles=[SPOT | {"particle": "gamma", "energy": "1GeV,4GeV"}],
    )
    events = simulate_hybrid(chosen, tmp_path / "events.h5", executor=PretendedGeant4())
    (count,) = events.rule_counts()
    assert count.handed_over + count.outside_training == len(events) / 2  # those of 1 GeV
    assert count.handed_over >= 8  # an impact beyond those of the sample stays
    assert events.audit.largest_imbalance < 1e-6
