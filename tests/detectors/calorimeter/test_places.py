"""Where particles enter a calorimeter whose cells stand still, and where they fly to."""

import math

import numpy as np
import pytest
import yaml

from simulacra.detectors import load_detector, parse_detector
from simulacra.detectors.calorimeter.beam import CUT
from simulacra.errors import DetectorError

CELLS = {"kind": "cartesian", "cell": ["20 mm", "20 mm"]}
IMPACTS = {f"impact_{axis}": {"role": "linear", "unit": "mm"} for axis in "xy"}


def own(cut=CELLS, declared=IMPACTS, volume=None, more=None, **changes):
    """A calorimeter of one section; conditions beyond the energy, and what is to be changed."""
    content = {
        "kind": "calorimeter",
        "name": "own",
        "volume": volume or {"kind": "box", "width": ["200 mm", "200 mm"]},
        "conditions": {"energy": {"role": "log", "unit": "MeV"}, **declared},
        "stack": [
            {
                "name": "calo",
                "repeat": 2,
                "slabs": [{"material": "G4_Pb", "thickness": "10 mm", "sensitive": True}],
                "readout": {"segmentation": cut},
            },
            *(more or ()),
        ],
        **changes,
    }
    return parse_detector(yaml.safe_dump(content))


RINGS = {"kind": "polar", "r_edges": ["0 mm", "50 mm", "90 mm"], "alpha": 4}
TUBE = {"kind": "tube", "radius": "100 mm"}
WINDOW = {
    "name": "behind",
    "slabs": [{"material": "G4_Pb", "thickness": "10 mm", "sensitive": True}],
    "readout": {"segmentation": CELLS | {"window": ["30 mm", "30 mm"]}},
}
ALIGNED = IMPACTS | {"alignment_x": {"role": "categorical", "categories": [0, 1]}}


@pytest.mark.parametrize("reference", [None, "calo"])
def test_an_impact_is_the_position_in_the_detector(reference):
    detector = own(beam={"x": ["-100 mm", "100 mm"], "y": "35 mm"}, reference=reference)
    columns = detector.draw(np.full(2000, 1000.0), np.random.default_rng(1))
    assert columns["impact_x"].min() < -99
    assert columns["impact_x"].max() > 99
    assert set(columns["impact_y"]) == {35.0}
    x, y = detector.place(columns)
    np.testing.assert_allclose(x, columns["impact_x"])
    np.testing.assert_allclose(y, 35.0)
    with pytest.raises(DetectorError, match=r"on the face of the stack, \(101, 0\) mm does not"):
        detector.place({"impact_x": np.array([101.0]), "impact_y": np.zeros(1)})


def test_rings_that_stand_still_have_impacts_too():
    detector = own(RINGS, volume=TUBE, beam={"x": ["20 mm", "60 mm"], "y": ["-60 mm", "60 mm"]})
    columns = detector.draw(np.full(100, 1000.0), np.random.default_rng(1))
    np.testing.assert_allclose(detector.place(columns)[0], columns["impact_x"])
    with pytest.raises(DetectorError, match="must lie on the face"):
        detector.place({"impact_x": np.array([80.0]), "impact_y": np.array([80.0])})


def test_an_axis_that_does_not_vary_needs_no_impact():
    only_x = {"impact_x": IMPACTS["impact_x"]}
    detector = own(declared=only_x, beam={"x": ["-50 mm", "50 mm"], "y": "30 mm"})
    columns = detector.draw(np.full(10, 1000.0), np.random.default_rng(1))
    assert list(columns) == ["energy", "impact_x"]
    x, y = detector.enter(columns, np.random.default_rng(1))
    np.testing.assert_allclose(x, columns["impact_x"])
    assert set(y) == {30.0}
    with pytest.raises(DetectorError, match="nothing of the impact along y"):
        detector.place(columns)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"declared": {}, "beam": {"x": ["0 mm", "20 mm"]}}, "must declare 'impact_x'"),
        ({"declared": {}, "beam": {"y": {"mean": 0, "spread": 1}}}, "must declare 'impact_y'"),
        (
            {"cut": RINGS, "volume": TUBE, "declared": {}, "beam": {"x": [20, 40]}},
            "beam is wider than a point along x",
        ),
        ({"beam": {"x": ["90 mm", "101 mm"]}}, "beyond the face"),
        ({"beam": {"x": {"mean": "99 mm", "spread": "1 mm"}}}, "beyond the face"),
        ({"cut": RINGS, "volume": TUBE, "beam": {"x": [0, 80], "y": [0, 80]}}, "beyond the face"),
        ({"declared": ALIGNED}, "alignment_x: cells without a window stand still"),
        ({"cut": WINDOW["readout"]["segmentation"]}, "a window needs a 'reference' section"),
        ({"more": [WINDOW], "reference": "behind"}, "section calo has no window"),
        ({"beam": {"phi": ["0 deg", "90 deg"]}}, "must declare 'phi' with role 'cyclic'"),
        ({"beam": {"phi": ["0 deg", "361 deg"]}}, "more than a whole turn"),
        ({"beam": {"theta": "-5 deg", "phi": "90 deg"}}, "not negative"),
        ({"beam": {"x": {"mean": 0, "width": 1}}}, "spread"),
        ({"beam": {"x": [3, 1]}}, "lower to the higher"),
    ],
)
def test_what_would_be_lost_is_refused(changes, message):
    with pytest.raises(DetectorError) as caught:
        own(**changes)
    assert message in str(caught.value)


ANGLES = {"theta": {"role": "linear", "unit": "rad"}, "phi": {"role": "cyclic", "unit": "rad"}}


def test_directions_in_space():
    beam = {"theta": ["0 deg", "20 deg"], "phi": ["-180 deg", "180 deg"], "x": ["-50 mm", "50 mm"]}
    detector = own(declared=IMPACTS | ANGLES, beam=beam)
    columns = detector.draw(np.full(4000, 1000.0), np.random.default_rng(1))
    direction = detector.directions(columns)
    np.testing.assert_allclose(np.arccos(direction[:, 2]), columns["theta"], atol=1e-6)
    np.testing.assert_allclose(
        np.arctan2(direction[:, 1], direction[:, 0]), columns["phi"], atol=1e-6
    )
    entered = [columns["impact_x"], columns["theta"], columns["phi"]]
    assert np.abs(np.corrcoef(entered) - np.eye(3)).max() < 0.06  # all independent


def test_spreads_are_gaussians_that_end():
    beam = {"x": {"mean": "10 mm", "spread": "2 mm"}, "theta": {"mean": 0, "spread": "1 deg"}}
    detector = own(declared=IMPACTS | {"theta": ANGLES["theta"]}, beam=beam)
    columns = detector.draw(np.full(20000, 1000.0), np.random.default_rng(1))
    assert columns["impact_x"].mean() == pytest.approx(10, abs=0.05)
    assert columns["impact_x"].std() == pytest.approx(2, rel=0.03)
    assert np.abs(columns["impact_x"] - 10).max() <= 2 * CUT
    assert columns["theta"].std() == pytest.approx(math.radians(1), rel=0.03)
    assert parse_detector(detector.to_yaml()) == detector


def test_one_value_is_a_range_of_itself():
    assert own(beam={"x": "5 mm"}) == own(beam={"x": ["5 mm", "5 mm"]})


def test_what_was_known_before_keeps_its_fingerprint():
    assert load_detector("clic-ecal-angle").fingerprint.startswith("ffd063391f6f")
    assert load_detector("atlas-barrel").fingerprint.startswith("e13ec5446c5f")
