"""What a detector's file says for full simulation: cuts, thresholds, Birks' factors, time cuts."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.conditions import Conditions
from simulacra.datasets.samples import load_sample
from simulacra.datasets.shipped import simulator_folder
from simulacra.detectors import Calorimeter, builtin_detectors, load_detector, parse_detector
from simulacra.errors import DetectorError, EventsError
from simulacra.events import Events, require_same_detector
from simulacra.io import read_events, write_events
from simulacra.observables import observables_of, observe
from simulacra.validation import require_comparable

CALORIMETERS = [n for n in builtin_detectors() if isinstance(load_detector(n), Calorimeter)]
TOY = """
kind: calorimeter
name: toy
volume: {{kind: box, width: [100 mm, 100 mm]}}
conditions: {{energy: {{role: log, unit: MeV}}}}
{top}
stack:
  - name: core
    repeat: 5
    slabs:
      - {{material: G4_Pb, thickness: 5 mm}}
      - {{material: {material}, thickness: {thickness} mm, sensitive: true}}
    readout:
      sampling_fraction: {fraction}
      {readout}
      segmentation: {{kind: cartesian, cell: [10 mm, 10 mm]}}
"""


def toy(top="", material="G4_Si", thickness=0.5, fraction=0.05, readout=""):
    fields = locals()
    return parse_detector(TOY.format(**fields))


# --- production cuts --------------------------------------------------------------------------


def test_every_calorimeter_that_can_be_simulated_states_its_cut():
    stated = {n: load_detector(n).production_cut for n in CALORIMETERS}
    silent = [n for n, cut in stated.items() if cut is None and load_detector(n).has_matter]
    assert not silent
    assert {stated[n] for n in CALORIMETERS if n.startswith("atlas-")} == {1.0}
    assert {stated[n] for n in CALORIMETERS if n.startswith("par04-")} == {0.7}


@given(st.floats(0.01, 20))
def test_a_cut_that_is_not_stated_is_that_of_the_thinnest_slab_and_is_told(thickness):
    detector = toy(thickness=thickness)
    assert detector.cut == min(0.7, thickness)
    (line,) = detector.assumptions
    assert f"{detector.cut:g} mm" in line
    assert not toy("production_cut: 0.2 mm", thickness=thickness).assumptions


@pytest.mark.parametrize("name", CALORIMETERS)
def test_the_cut_is_no_part_of_what_is_read_out(name):
    """Files made before the key compare with the detector of today, and so do other cuts."""
    detector, text = load_detector(name), load_detector(name).to_yaml()
    for cut in ("", "production_cut: 0.123\n"):
        other = parse_detector(re.sub(r"production_cut: .*\n", "", text) + cut)
        require_same_detector(detector, other)


def test_the_shipped_generator_and_its_samples_are_of_the_detector_of_today():
    folder = simulator_folder("atlas-barrel-photons")
    trained = parse_detector((folder / "detector.yaml").read_text())
    require_same_detector(load_detector("atlas-barrel"), trained, load_sample("test").detector)


@pytest.mark.parametrize("split", ["train", "selection", "test", "high"])
def test_the_embedded_photons_say_with_which_cut_they_were_made(split):
    facts = load_sample(split).provenance
    assert facts["cut_mm"] == 1.0
    assert "0.7" not in facts["physics"]


# --- hits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALORIMETERS)
def test_thresholds_of_the_shipped_detectors(name):
    """CaloChallenge's 1 MeV, but where a minimum-ionising particle leaves less than twice that."""
    expected = 0.097 if name.startswith("clic-ecal") else 1.0
    np.testing.assert_allclose(load_detector(name).thresholds, expected, rtol=1e-3)


@given(st.floats(0.01, 1), st.floats(0.05, 2))
def test_a_threshold_is_half_a_minimum_ionising_particle(fraction, thickness):
    (layer,) = toy(fraction=fraction, thickness=thickness).layers
    assert layer.hit_threshold == pytest.approx(min(1, 0.388 * thickness / fraction / 2))


def test_a_stated_threshold_holds_and_an_unknown_one_is_told():
    (layer,) = toy(readout="hit_threshold: 30 keV").layers
    assert layer.hit_threshold == pytest.approx(0.03)
    detector = toy("production_cut: 1 mm", material="G4_TISSUE-METHANE")
    assert detector.thresholds == (1.0,)
    assert "hit_threshold" in detector.assumptions[0]


def shower(detector, energies):
    showers = np.zeros((1, detector.n_cells), np.float32)
    showers[0, : len(energies)] = energies
    return Events(Conditions({"energy": np.array([1e3])}), {"showers": showers}, detector)


def test_sparsity_counts_cells_above_the_threshold():
    detector = toy(fraction=1)  # half of a particle is 0.097 MeV
    events = shower(detector, [0.05, 0.09, 0.11, 3.0])
    values = observe(events, observables_of(detector))
    assert values["sparsity.core"][0] == pytest.approx(1 - 2 / 100)


def test_samples_with_other_thresholds_need_a_detector_that_holds_for_both(tmp_path):
    low, high = toy(readout="hit_threshold: 30 keV"), toy()
    first, second = shower(low, [1.0]), shower(high, [1.0])
    with pytest.raises(EventsError, match=r"different hit thresholds.*--detector"):
        require_comparable(first, second)
    write_events(second, tmp_path / "second.h5")
    require_comparable(first, read_events(tmp_path / "second.h5", low))


# --- light ------------------------------------------------------------------------------------


def test_birks_and_time_cuts_are_parts_of_what_is_read_out():
    plain = toy()
    for other in (
        toy("birks: {G4_Si: 0.1 mm/MeV}"),
        toy(readout="time_cut: 150 ns"),
    ):
        assert other.fingerprint != plain.fingerprint
        assert parse_detector(other.to_yaml()) == other


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        *(("atlas-barrel", "e13ec5446c5f"), ("atlas-voxels", "eeb0c52e715c")),
        *(("calogan", "371648331042"), ("clic-ecal", "1a8da898e3f2")),
    ],
)
def test_options_that_are_not_stated_change_no_fingerprint(name, digest):
    assert load_detector(name).fingerprint.startswith(digest)


def test_birks_needs_a_sensitive_slab_of_the_material():
    with pytest.raises(DetectorError, match="birks: no sensitive slab is of G4_Pb"):
        toy("birks: {G4_Pb: 0.1 mm/MeV}")
    with pytest.raises(DetectorError, match="saturation"):
        toy("birks: {G4_Si: 0.1 g}")
