"""Each fault does what its row says; strength 0 is no fault; the truth is kept."""

import numpy as np
import pytest

import simulacra as sim
from simulacra.detectors import load_detector
from simulacra.errors import CardError, DetectorError
from simulacra.events import Events
from simulacra.faults import KINDS, Scenario, Step, kind_of
from simulacra.faults.distortion import TRUTH, distorted_pieces, notes_on
from simulacra.faults.signs import NegativeValues
from simulacra.io import read_events, write_events
from tests.conftest import random_events, random_tracks

ROWS = [(kind, name) for kind in KINDS for name in KINDS[kind].faults]


def sample(kind, n=20):
    if kind == "tpc":
        events = random_tracks(load_detector("alice-tpc"), n)
        clusters = events["clusters"].copy()
        clusters[..., 3:] = np.abs(clusters[..., 3:])
        clusters[..., 4] = 0.3 * clusters[..., 3]
        clusters[..., 2] = np.clip(clusters[..., 2], -2400, 2400)
        return Events(events.conditions, {**events.response, "clusters": clusters}, events.detector)
    return random_events(load_detector("atlas-barrel"), n)


def one(fault, strength, **place):
    return Scenario(name="one", steps=(Step(fault=fault, strength=strength, place=place),))


@pytest.mark.parametrize(("kind", "fault"), ROWS)
def test_strength_zero_is_no_fault(kind, fault):
    events = sample(kind)
    same = sim.distort(events, one(fault, 0.0))
    for name, array in events.response.items():
        assert same[name].dtype == array.dtype
        assert same[name].tobytes() == array.tobytes()


@pytest.mark.parametrize(("kind", "fault"), ROWS)
def test_a_tiny_strength_changes_next_to_nothing_and_a_large_one_something(kind, fault):
    events = sample(kind)
    tiny = sim.distort(events, one(fault, 1e-9))
    large = sim.distort(events, one(fault, {"saturation": 10.0}.get(fault, 0.4)))
    for name, array in events.response.items():
        np.testing.assert_allclose(tiny[name], array, rtol=1e-5, atol=1e-4)
    if (kind, fault) != ("tpc", "threshold"):  # below 0.4 ADC is none of these clusters
        assert any(np.any(large[name] != array) for name, array in events.response.items())
    large.check()


@pytest.mark.parametrize(("kind", "fault"), ROWS)
def test_what_is_not_named_stays(kind, fault):
    events = sample(kind)
    place = {"layer": "middle"} if kind == "calorimeter" else {"rows": [10, 20]}
    changed = sim.distort(events, one(fault, 0.2, **place))
    if kind == "calorimeter":
        outside = np.ones(266, bool)
        outside[189:238] = False
        assert np.array_equal(changed["showers"][:, outside], events["showers"][:, outside])
    else:
        reach = 1 if fault == "cross-talk" else 0
        outside = np.ones(159, bool)
        outside[10 - reach : 21 + reach] = False
        assert np.array_equal(changed["clusters"][:, outside], events["clusters"][:, outside])
    assert all(np.array_equal(changed[c], events[c]) for c in events.conditions)


@pytest.mark.parametrize("name", ["atlas-barrel", "atlas-voxels", "clic-ecal"])
def test_cross_talk_conserves_the_energy_of_each_layer(name):
    events = random_events(load_detector(name), 8)
    crossed = sim.distort(events, one("cross-talk", 0.1))
    for layer in events.detector.layers:
        before, after = (e["showers"][:, layer.cells].sum(axis=1) for e in (events, crossed))
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-3)


def test_cross_talk_of_one_cell_goes_to_its_four_neighbours(barrel):
    events = random_events(barrel, 1)
    showers = np.zeros((1, 266), np.float32)
    showers[0, 189 + 24] = 100.0
    events = Events(events.conditions, {"showers": showers}, barrel)
    middle = sim.distort(events, one("cross-talk", 0.2))["showers"][0, 189:238].reshape(7, 7)
    assert middle[3, 3] == pytest.approx(80)
    for place in ((2, 3), (4, 3), (3, 2), (3, 4)):
        assert middle[place] == pytest.approx(5)


def test_charge_is_conserved_by_cross_talk_between_pad_rows():
    events = sample("tpc")
    crossed = sim.distort(events, one("cross-talk", 0.3))
    for column in (3, 4):
        before, after = (e["clusters"][..., column].sum(axis=1) for e in (events, crossed))
        np.testing.assert_allclose(after, before, rtol=1e-5)


def test_misalignment_by_a_whole_cell_is_a_shift_by_one(barrel):
    events = random_events(barrel, 4)
    moved = sim.distort(events, one("misalignment-x", 40.0, layer="middle"))
    before, after = (e["showers"][:, 189:238].reshape(4, 7, 7) for e in (events, moved))
    np.testing.assert_allclose(after[:, :-1], before[:, 1:], atol=1e-4)
    assert not after[:, -1].any()


def test_dead_cells_are_dead_in_that_share_of_events(barrel):
    events = random_events(barrel, 2000)
    showers = np.ones_like(events["showers"])
    events = Events(events.conditions, {"showers": showers}, barrel)
    dead = sim.distort(events, one("dead-cells", 0.3, cells=[5, 6]))["showers"] == 0
    assert dead[:, 5].mean() == pytest.approx(0.3, abs=0.04)
    assert (dead[:, 5] & dead[:, 6]).mean() == pytest.approx(0.09, abs=0.03)
    board = sim.distort(events, one("dead-board", 0.3, cells=[5, 6]))["showers"] == 0
    assert np.array_equal(board[:, 5], board[:, 6])


def test_a_cell_of_the_detector_is_another_place_of_the_window_in_other_events():
    events = sim.load_sample("test").take(slice(400))
    dead = sim.distort(events, one("dead-cells", 1.0, layer="middle", grid=[[8, 8]]))
    x, y = events.detector.place(events.conditions.columns)
    dropped = (events["showers"] > 0) & (dead["showers"] == 0)
    places = dropped.argmax(axis=1)[dropped.any(axis=1)] - 189
    assert len(np.unique(places)) == 8  # 2 x 4 reference cells of the beam spot
    # an event whose particle enters that cell (0..40 mm) loses the middle of its window
    inside = (x > 0) & (x < 40) & (y > 0) & (y < 40)
    assert inside.any()
    assert np.all(dropped[inside, 189 + 24])


def test_a_drift_velocity_that_is_wrong_moves_nothing_at_the_end_plate():
    events = sample("tpc")
    moved = sim.distort(events, one("drift-velocity", 0.01))
    z, new = events["clusters"][..., 2], moved["clusters"][..., 2]
    present = events["cluster_mask"] > 0
    expected = np.where(z < 0, -1, 1) * (2500 - 1.01 * (2500 - np.abs(z)))
    np.testing.assert_allclose(new[present], expected[present], rtol=1e-5, atol=1e-2)


def test_events_do_not_depend_on_how_they_are_read():
    events = random_events(load_detector("atlas-barrel"), 50)
    noisy = one("noise", 3.0)
    whole = sim.distort(events, noisy, seed=4)
    again = Events.concatenate(list(distorted_pieces(events, noisy, 4)))
    assert np.array_equal(whole["showers"], again["showers"])
    assert not np.array_equal(whole["showers"], sim.distort(events, noisy, seed=5)["showers"])


def test_the_truth_is_kept_in_a_file(tmp_path):
    events = sim.load_sample("test").take(slice(5))
    twice = sim.distort(sim.distort(events, one("gain", 0.1)), one("noise", 2.0), seed=7)
    write_events(twice, tmp_path / "data.h5")
    found = read_events(tmp_path / "data.h5").provenance
    assert found["particle"] == "gamma"
    assert [step["scenario"]["steps"][0]["fault"] for step in found[TRUTH]] == ["gain", "noise"]
    assert found[TRUTH][1]["seed"] == 7


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        (one("dead-cell", 1.0), "did you mean dead-cells"),
        (one("dead-cells", 1.5), "from 0 to 1"),
        (one("gain", 0.1, layer="midle"), "no layer 'midle'"),
        (one("gain", 0.1, cells=[266]), "numbered 0 to 265"),
        (one("gain", 0.1, grid=[[0, 0]]), "name the layer"),
        (one("gain", 0.1, layer="middle", grid=[[16, 0]]), "16 x 16"),
        (one("misalignment-x", 50.0), "more than a cell"),
        (one("gain", 0.1, rows=[1, 2]), "unknown key rows"),
    ],
)
def test_mistakes_are_one_line(barrel, scenario, said):
    with pytest.raises(CardError, match=said) as error:
        sim.distort(random_events(barrel, 2), scenario)
    assert "\n" not in str(error.value)


def test_polar_cells_are_not_misaligned():
    with pytest.raises(CardError, match="polar"):
        sim.distort(random_events(load_detector("atlas-voxels"), 2), one("misalignment-x", 1.0))


def test_a_kind_without_faults_says_so():
    with pytest.raises(DetectorError, match="no faults"):
        kind_of(load_detector("jet-image"))


def test_cells_of_a_window_are_told(barrel):
    assert "window" in notes_on(one("gain", 0.1, cells=[3]), barrel)[0]
    assert not notes_on(one("gain", 0.1, layer="middle", grid=[[8, 8]]), barrel)
    assert not notes_on(one("gain", 0.1, cells=[3]), load_detector("clic-ecal"))


def test_a_scenario_loads_from_yaml(tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "name: two\nsteps:\n- {fault: gain, strength: -0.05, place: {layer: strips}}\n"
        "- {fault: noise, strength: 2}\n"
    )
    assert [step.fault for step in Scenario.load(path).steps] == ["gain", "noise"]
    path.write_text("name: two\nstepz: []\n")
    with pytest.raises(CardError, match="did you mean steps"):
        Scenario.load(path)
    with pytest.raises(CardError, match="no scenario"):
        Scenario.load(tmp_path / "none.yaml")


def test_negative_energies_are_counted_and_zero_suppression_leaves_none():
    events = sample("calorimeter")
    noisy = Step(fault="noise", strength=5.0)
    cut = Step(fault="zero-suppression", strength=10.0)
    for steps, some in (((noisy,), True), ((noisy, cut), False)):
        signs = NegativeValues(events.detector)
        pieces = distorted_pieces(events, Scenario(name="noise", steps=steps), 1)
        (left,) = signs.counted(pieces)
        assert signs.values == left["showers"].size
        assert signs.negative == np.count_nonzero(left["showers"] < 0)
        assert (signs.negative > 0) is some
        assert ("zero-suppression" in signs.note) is some
