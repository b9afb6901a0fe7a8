from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import spearmanr

from simulacra.columns import far_outside, outside_ranges
from simulacra.conditions import Conditions, EnergySpectrum, conditions_at, draw_conditions
from simulacra.datasets.samples import open_parts
from simulacra.detectors import (
    ConditionSpec,
    builtin_detectors,
    load_detector,
    parse_detector,
)
from simulacra.errors import DetectorError, EventsError, SimulacraError
from tests.conftest import one_photon


@pytest.mark.parametrize(
    ("text", "points", "law"),
    [
        ("65GeV", (65e3,), "points"),
        ("1 GeV, 500 MeV", (1e3, 500.0), "points"),
        ("1e-1GeV", (100.0,), "points"),
        ("1GeV..2TeV", (1e3, 2e6), "log-uniform"),
        ("1GeV-2TeV", (1e3, 2e6), "uniform"),
        ("1e-1 GeV - 2e+1 GeV", (100.0, 2e4), "uniform"),
    ],
)
def test_energy_spectrum_reads_all_forms(text, points, law):
    assert EnergySpectrum.parse(text) == EnergySpectrum(points, law)
    assert EnergySpectrum.parse(str(EnergySpectrum.parse(text))) == EnergySpectrum.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("-5GeV", "0GeV", "5", "5 mm", "", "2GeV..1GeV", "1GeV..2GeV..3GeV", "nanGeV"),
        *("2GeV-1GeV", "1GeV--2GeV", "1GeV-2GeV-3GeV"),
    ],
)
def test_energy_spectrum_refuses(text):
    with pytest.raises(SimulacraError, match="energ"):
        EnergySpectrum.parse(text)


def test_uniform_energies_are_uniform():
    energies = EnergySpectrum.parse("1GeV-101GeV").draw(20_000, np.random.default_rng(0))
    counts, _ = np.histogram(energies, bins=10, range=(1e3, 101e3))
    assert counts.sum() == 20_000
    assert abs(counts - 2000).max() < 5 * np.sqrt(2000)


def test_log_uniform_energies_are_uniform_in_log():
    energies = EnergySpectrum.parse("1GeV..100GeV").draw(20_000, np.random.default_rng(0))
    counts, _ = np.histogram(np.log(energies), bins=10, range=(np.log(1e3), np.log(1e5)))
    assert counts.sum() == 20_000
    assert abs(counts - 2000).max() < 5 * np.sqrt(2000)


def test_drawn_conditions_cover_every_alignment(barrel):
    drawn = draw_conditions(barrel, EnergySpectrum.parse("1GeV"), 500, np.random.default_rng(0))
    drawn.check(barrel)
    states = set(zip(drawn["alignment_eta"], drawn["alignment_phi"], strict=True))
    assert len(states) == 8
    assert np.abs(drawn["impact_eta"]).max() <= 20


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("energy", -1.0, "must be positive"),
        ("energy", np.nan, "not finite"),
        ("energy", 1e39, "holds 1e.39 MeV, beyond single precision"),
        ("energy", 1e-40, "1e-40 MeV, below single precision"),
        ("alignment_phi", 4, "must be one of"),
    ],
)
def test_check_names_the_bad_column(barrel, column, value, message):
    with pytest.raises(EventsError, match=message):
        one_photon(barrel, **{column: np.array([value])}).check(barrel)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("impact_x", 35.1, r"on the face of the stack, \(35.1, 0\) mm does not"),
        ("impact_y", -3000.0, "on the face"),  # m for mm
        ("theta", 20.0, "theta must lie within ±90 deg"),  # deg for rad
        ("theta", -0.1, "with phi, theta is not negative"),
    ],
)
def test_no_particle_enters_beside_the_face_or_from_behind(column, value, message):
    detector = fixed_cells()
    columns = {name: np.zeros(2) for name in detector.conditions} | {"energy": np.ones(2)}
    Conditions({**columns, "impact_x": np.array([0.0, 35.0])}).check(detector)
    with pytest.raises(EventsError, match=message):
        Conditions({**columns, column: np.array([0.0, value])}).check(detector)


@pytest.mark.parametrize("axis", [0, 1])
def test_windows_lie_around_the_cell_that_is_hit(barrel, axis):
    """An impact beyond half a cell lies in the next one: a position in place of an offset."""
    cell, name = barrel.reference_cell[axis], f"impact_{barrel.axes[axis]}"
    columns = {each: np.zeros(3) for each in barrel.conditions} | {"energy": np.ones(3)}
    edge = np.float32(cell / 2)
    Conditions({**columns, name: np.array([-edge, edge, 0.0])}).check(barrel)
    with pytest.raises(EventsError, match=f"{name} must lie within ±{cell / 2:g} mm.*the offset"):
        Conditions({**columns, name: np.array([0.0, 0.0, -1.01 * edge])}).check(barrel)


@pytest.mark.parametrize("sample", ["train", "selection", "test", "high"])
def test_embedded_samples_lie_in_their_cells(sample):
    for part in open_parts(f"sample:{sample}", None):
        events = part.take(slice(None))
        events.conditions.check(events.detector)


def fixed_cells():
    """A calorimeter of 70 mm whose cells stand still; particles come from everywhere."""
    return parse_detector(
        """
kind: calorimeter
name: fixed
description: cells that stand still
volume: {kind: box, width: [70 mm, 70 mm]}
beam: {x: [-30 mm, 30 mm], y: [-30 mm, 30 mm], theta: [0 deg, 20 deg], phi: [0 deg, 360 deg]}
conditions:
  energy: {role: log, unit: MeV}
  impact_x: {role: linear, unit: mm}
  impact_y: {role: linear, unit: mm}
  theta: {role: linear, unit: rad}
  phi: {role: cyclic, unit: rad}
stack:
  - name: front
    slabs: [{material: G4_PbWO4, thickness: 100 mm, sensitive: true}]
    readout: {segmentation: {kind: cartesian, cell: [10 mm, 10 mm]}}
"""
    )


def test_columns_must_have_one_length():
    with pytest.raises(EventsError, match="one length"):
        Conditions({"energy": np.ones(3), "theta": np.ones(2)})


@pytest.mark.parametrize("name", [n for n in builtin_detectors() if not n.startswith("jet")])
def test_every_detector_draws_its_own_conditions(name):
    detector = load_detector(name)
    drawn, again = (
        draw_conditions(detector, EnergySpectrum.parse("1GeV,4GeV"), 50, np.random.default_rng(3))
        for _ in range(2)
    )
    drawn.check(detector)
    assert drawn[detector.scale].tolist() == [1e3, 4e3] * 25
    for column, other in zip(drawn.columns.values(), again.columns.values(), strict=True):
        np.testing.assert_array_equal(column, other)


def test_a_jet_image_draws_nothing():
    with pytest.raises(DetectorError, match="come from a file"):
        load_detector("jet-image").draw(np.ones(2), np.random.default_rng(0))


def test_a_range_ends_where_training_did_and_an_even_one_a_little_later(barrel):
    ranges = {"energy": (1000.0, 65000.0), "impact_eta": (-19.99, 19.98)}
    energy = np.array([999.0, 1000.0, 65000.0, 65010.0, 2000.0, 2000.0, 2000.0])
    impact = np.array([0.0, 0.0, 0.0, 0.0, -20.0, 20.0, 20.5])
    conditions = Conditions({"energy": energy, "impact_eta": impact})
    outside = conditions.outside(ranges, barrel)
    assert outside.tolist() == [True, False, False, True, False, False, True]


def test_conditions_do_not_follow_the_noise_of_an_exported_file():
    """Which draws from the seed itself: a rank correlation of 200 seeds, far within 4 sigma."""
    detector = load_detector("atlas-barrel")
    energies, noise = [], []
    for seed in range(200):
        energies.append(conditions_at(detector, "1GeV..65GeV", 1, seed)["energy"][0])
        noise.append(np.abs(np.random.default_rng(seed).standard_normal(8, dtype=np.float32)))
    for column in np.transpose(noise):
        assert abs(spearmanr(energies, column).statistic) < 4 / np.sqrt(200)


def test_angles_are_outside_of_a_range_whatever_the_turn():
    specs = {"phi": ConditionSpec(role="cyclic", unit="rad")}
    phi = {"phi": np.array([0.0, 0.5, 2 * np.pi + 0.5, -6.0, 2.0, -1.0])}
    outside = outside_ranges(phi, {"phi": (0.0, 1.0)}, specs)
    assert outside.tolist() == [False, False, False, False, True, True]
    assert not outside_ranges(phi, {"phi": (-np.pi, np.pi)}, specs).any()


@pytest.mark.parametrize(
    ("role", "limits", "near", "far"),
    [
        ("log", (1e3, 64e3), (501.0, 1e3, 127e3), (499.0, 129e3)),
        ("linear", (-20.0, 20.0), (-29.9, 0.0, 29.9), (-30.1, 30.1)),
        ("cyclic", (0.0, 2.0), (-0.4, 2.4, 2 * np.pi - 0.4), (-0.6, 2.6, np.pi)),
    ],
)
def test_far_outside_is_a_factor_or_a_part_of_the_range(role, limits, near, far):
    assert not far_outside(np.array(near), limits, role).any()
    assert far_outside(np.array(far), limits, role).all()
    assert not far_outside(np.zeros(0), limits, role).any()


def test_columns_are_those_of_a_mapping_and_rows_those_of_an_array():
    columns = {"energy": np.array([1.0, 2.0, 3.0]), "theta": np.array([0.0, 0.1, 0.2])}
    conditions = Conditions(columns)
    assert list(conditions) == list(conditions.keys()) == list(columns)
    assert dict(conditions).keys() == {**conditions}.keys() == columns.keys()
    assert isinstance(conditions.columns, Mapping)
    for (name, column), value in zip(conditions.items(), conditions.values(), strict=True):
        assert name in conditions
        assert conditions[name] is column is value is conditions.get(name)
    assert "phi" not in conditions
    assert conditions.get("phi") is None
    assert conditions.get("phi", 3) == 3
    with pytest.raises(EventsError, match="no condition 'phi' among energy, theta"):
        _ = conditions["phi"]
    assert len(conditions) == 3
    for rows in (slice(1, None), [1, 2], np.array([1, 2]), [False, True, True]):
        part = conditions[rows]
        assert len(part) == 2
        assert all(np.array_equal(part[name], columns[name][1:]) for name in columns)
    assert len(conditions[[]]) == 0
    assert conditions[-1]["energy"].tolist() == [3.0]
    with pytest.raises(IndexError):
        _ = conditions[3]
    with pytest.raises(IndexError):
        _ = conditions[[True, False]]
