"""Look-up: the nearest stored events, scaled; fluctuations, gaps, categories and refusals."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.simulators.classical.build import build
from tests.conftest import random_events, random_tracks

PLACED = """
kind: calorimeter
name: placed
volume: {kind: box, width: [60 mm, 60 mm]}
beam: {x: [-20 mm, 20 mm], y: [-20 mm, 20 mm], phi: [-180 deg, 180 deg], theta: [0, 0.3]}
conditions:
  energy: {role: log, unit: MeV}
  theta: {role: linear, unit: rad}
  phi: {role: cyclic, unit: rad}
  impact_x: {role: linear, unit: mm}
  impact_y: {role: linear, unit: mm}
stack:
  - name: layer
    slabs: [{material: G4_Pb, thickness: 20 mm, sensitive: true}]
    readout: {segmentation: {kind: cartesian, cell: [20 mm, 20 mm]}}
"""


@pytest.fixture(scope="module")
def placed():
    return parse_detector(PLACED)


def sample_of(detector, n, seed=1, **columns):
    """Events of known conditions whose first cell says which stored event it was."""
    rng = np.random.default_rng(seed)
    drawn = {
        "energy": np.exp(rng.uniform(np.log(1e3), np.log(1e4), n)),
        "theta": rng.uniform(0, 0.3, n),
        "phi": rng.uniform(-np.pi, np.pi, n),
        "impact_x": rng.uniform(-20, 20, n),
        "impact_y": rng.uniform(-20, 20, n),
    } | columns
    kept = {k: np.asarray(v, np.float32) for k, v in drawn.items() if k in detector.conditions}
    showers = np.zeros((n, detector.n_cells), np.float32)
    showers[:, 0] = (1 + np.arange(n)) * kept["energy"] / 1e3  # a fraction that is its number
    showers[:, 1] = kept["energy"]
    return Events(Conditions(kept), {"showers": showers}, detector).named("gamma")


def which(events):
    """Return the stored event that each event is."""
    return np.rint(events["showers"][:, 0] / events["energy"] * 1e3).astype(int) - 1


def test_of_one_neighbour_the_sample_gives_itself(placed):
    sample = sample_of(placed, 200)
    made = build("lookup", sample=sample, options={"neighbours": 1})
    again = made.simulate(sample.conditions, 1)
    assert which(again).tolist() == list(range(200))
    np.testing.assert_allclose(again["showers"], sample["showers"], rtol=1e-6)


def test_showers_are_scaled_to_the_energy_asked_for(placed):
    sample = sample_of(placed, 300)
    made = build("lookup", sample=sample)
    events = made.generate("2GeV..8GeV", 100, 3)
    np.testing.assert_allclose(events["showers"][:, 1], events["energy"], rtol=1e-5)


def test_a_neighbour_is_near_in_all_conditions_and_across_the_turn(placed):
    """Found by a search in words: logarithm, range and circle; all k equally likely."""
    sample, k = sample_of(placed, 400), 5
    made = build("lookup", sample=sample, options={"neighbours": k, "weights": {"energy": 1}})
    row = {"energy": 3e3, "theta": 0.1, "phi": np.pi - 0.01, "impact_x": 3.0, "impact_y": -5.0}
    n = 4000
    asked = Conditions({name: np.full(n, value, np.float32) for name, value in row.items()})
    found = which(made.simulate(asked, 1))
    ranges, stored = made.ranges, sample.conditions

    def unit(name, of=np.asarray):
        low, high = (of(limit) for limit in ranges[name])
        return (of(stored[name]) - of(row[name])) / (high - low)

    turn = np.abs(np.exp(1j * stored["phi"]) - np.exp(1j * row["phi"])) / 2
    parts = [unit("energy", np.log), *map(unit, ("theta", "impact_x", "impact_y")), turn]
    nearest = np.argsort(np.sqrt(np.sum(np.square(parts), axis=0)))[:k]
    numbers, counts = np.unique(found, return_counts=True)
    assert set(numbers.tolist()) == set(nearest.tolist())
    assert np.all(np.abs(counts - n / k) < 5 * np.sqrt(n / k))
    assert np.abs(stored["phi"][nearest]).min() > 1.5  # on both sides of the turn


def test_several_neighbours_keep_the_fluctuations(placed):
    """At fixed conditions: the width of the stored ones; with one neighbour there is none."""
    n = 500
    fixed = {"energy": np.full(n, 1e3), "theta": np.zeros(n), "phi": np.zeros(n)}
    sample = sample_of(placed, n, **fixed, impact_x=np.zeros(n), impact_y=np.zeros(n))
    rng = np.random.default_rng(3)
    response = 1e3 * rng.normal(1, 0.1, n)
    sample["showers"][:, 0] = response
    asked = Conditions({k: np.resize(v[:1], 4000) for k, v in sample.conditions.items()})
    widths = {}
    for k in (1, n):
        made = build("lookup", sample=sample, options={"neighbours": k})
        widths[k] = made.simulate(asked, 1)["showers"][:, 0]
    assert np.ptp(widths[1]) == 0
    assert widths[n].std() == pytest.approx(response.std(), rel=0.06)


def test_weights_make_a_condition_count(placed):
    sample = sample_of(placed, 500)
    heavy = build("lookup", sample=sample, options={"neighbours": 1, "weights": {"theta": 100}})
    light = build("lookup", sample=sample, options={"neighbours": 1})
    asked = heavy.generate("1GeV..10GeV", 50, 2).conditions
    away = [
        np.abs(sample["theta"][which(made.simulate(asked, 1))] - asked["theta"]).mean()
        for made in (heavy, light)
    ]
    assert away[0] < 0.05 * away[1]


def test_gaps_are_outside_and_far_from_any_event_refused():
    """Energies from 1 to 1.5 and from 6 to 10 GeV: between them there is nothing to take."""
    calogan, n = load_detector("calogan"), 4000
    rng = np.random.default_rng(1)
    parts = rng.uniform(1e3, 1.5e3, n // 2), rng.uniform(6e3, 10e3, n // 2)
    made = build("lookup", sample=sample_of(calogan, n, energy=np.concatenate(parts)))
    asked = Conditions({"energy": np.array([1.2e3, 3e3, 7e3, 10.4e3], np.float32)})
    assert made.outside(asked).tolist() == [False, True, False, True]
    with pytest.raises(SimulatorError, match="1 events lie in a gap of the sample"):
        made.simulate(asked, 1)
    with pytest.raises(SimulatorError, match="in a gap"):
        next(made.stream(asked, 1))
    assert len(made.simulate(asked, 1, extrapolate=True)) == 4


def test_between_points_of_energy_there_is_no_gap():
    energy = np.repeat([1e3, 2e3, 8e3], [150, 150, 100])
    made = build("lookup", sample=sample_of(load_detector("calogan"), 400, energy=energy))
    asked = Conditions({"energy": np.array([1.4e3, 4e3, 8e3], np.float32)})
    assert not made.outside(asked).any()


def test_categories_must_agree(barrel):
    sample = random_events(barrel, 300, 1).named("gamma")
    made = build("lookup", sample=sample)
    asked = made.generate("1GeV..4GeV", 100, 2).conditions
    chosen = made.chosen(asked, np.random.default_rng(1))
    for name in ("alignment_eta", "alignment_phi"):
        assert np.array_equal(sample.conditions[name][chosen], asked[name])


def test_a_category_without_events_is_refused(barrel):
    whole = random_events(barrel, 300, 1).named("gamma")
    pair = (whole["alignment_eta"] == 0) & (whole["alignment_phi"] == 2)
    made = build("lookup", sample=whole[~pair])
    asked = whole[pair].conditions
    assert made.outside(asked).all()
    with pytest.raises(SimulatorError, match="lie in a gap of the sample"):
        made.simulate(asked, 1)
    assert len(made.simulate(asked, 1, extrapolate=True)) == pair.sum()


def test_what_it_cannot_do_is_refused(placed):
    with pytest.raises(SimulatorError, match="made from full simulation"):
        build("lookup", "calogan", particle="e-")
    tracks = random_tracks(load_detector("alice-tpc"), 5)
    with pytest.raises(SimulatorError, match="a track at another momentum crosses other places"):
        build("lookup", sample=tracks)
    sample = sample_of(placed, 5)
    with pytest.raises(SimulatorError, match="has no condition 'mass'"):
        build("lookup", sample=sample, options={"weights": {"mass": 1}})


def test_damaged_arrays_are_refused(placed):
    made = build("lookup", sample=sample_of(placed, 5))
    for name, wrong in (
        ("showers_place", np.full_like(made.arrays["showers_place"], 99)),
        ("condition_energy", np.zeros(5)),
        ("condition_theta", np.zeros(4)),
        ("reach", np.full(2, np.nan)),
    ):
        bad = type(made)(made.made, made.options, {**made.arrays, name: wrong})
        with pytest.raises(SimulatorError):
            bad.check()
