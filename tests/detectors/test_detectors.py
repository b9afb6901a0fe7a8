import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulacra.detectors import builtin_detectors, load_detector, parse_detector
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import DetectorError

RINGS = tuple(4.65 * n for n in range(10))


@pytest.mark.parametrize("name", builtin_detectors())
def test_yaml_round_trip_keeps_the_detector(name):
    detector = load_detector(name)
    again = parse_detector(detector.to_yaml())
    assert again == detector
    assert again.fingerprint == detector.fingerprint


def test_atlas_barrel_has_the_published_cells(barrel):
    shapes = {layer.name: layer.shape for layer in barrel.layers}
    assert shapes == {"presampler": (7, 3), "strips": (56, 3), "middle": (7, 7), "back": (4, 7)}
    assert barrel.n_cells == 266
    assert barrel.alignment_states == (2, 4)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("clic-ecal", 25**3),
        ("clic-ecal-angle", 25 * 51**2),
        ("calogan", 288 + 144 + 72),
        ("par04-siw", 6480),
        ("par04-siw-fine", 40500),
        ("atlas-voxels", 368),
        ("atlas-barrel-89", 89),
    ],
)
def test_published_segmentations(name, cells):
    assert load_detector(name).n_cells == cells


def test_voxels_are_those_of_calochallenge():
    for ours, theirs in (
        ("atlas-voxels", "calochallenge-1-photons"),
        ("par04-siw", "calochallenge-2"),
        ("par04-siw-fine", "calochallenge-3"),
    ):
        layers = zip(load_detector(ours).layers, load_detector(theirs).layers, strict=True)
        for mine, published in layers:
            assert mine.shape == published.shape
            np.testing.assert_allclose(mine.segmentation.r_edges, published.segmentation.r_edges)


@pytest.mark.parametrize("name", ["par04-siw", "clic-ecal-angle"])
def test_angles_of_incidence_are_a_condition(name):
    detector = load_detector(name)
    columns = detector.draw(np.full(500, 1000.0), np.random.default_rng(1))
    assert set(columns) == set(detector.conditions)
    low, high = detector.beam.theta
    assert low <= columns["theta"].min() < low + 0.05
    assert high - 0.05 < columns["theta"].max() <= high
    direction = detector.directions(columns)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1)
    np.testing.assert_allclose(np.arctan(direction[:, 0] / direction[:, 2]), columns["theta"])


def test_without_a_tilt_particles_come_straight(barrel):
    columns = barrel.draw(np.full(3, 1000.0), np.random.default_rng(1))
    assert "theta" not in columns
    np.testing.assert_array_equal(barrel.directions(columns), np.tile([0.0, 0.0, 1.0], (3, 1)))


@given(st.floats(-60, 60, allow_subnormal=False), st.floats(-60, 60, allow_subnormal=False))
def test_points_lie_in_the_polar_cell_that_is_said(x, y):
    segmentation = PolarSegmentation(kind="polar", alpha=16, r_edges=RINGS)
    (cell,) = segmentation.cells_at(np.array([x]), np.array([y]))
    radius, edges = np.hypot(x, y), RINGS
    if radius >= edges[-1]:
        assert cell == -1
        return
    sector, ring = divmod(cell, 9)
    assert edges[ring] <= radius < edges[ring + 1]
    away = np.arctan2(y, x) + np.pi - (sector + 0.5) * np.pi / 8
    assert abs((away + np.pi) % (2 * np.pi) - np.pi) <= np.pi / 16 + 1e-9


def test_layers_tile_the_response(barrel):
    stops = [0]
    for layer in barrel.layers:
        assert layer.cells.start == stops[-1]
        assert layer.cells.stop - layer.cells.start == len(layer.x) == len(layer.y)
        stops.append(layer.cells.stop)


def test_polar_layers_have_r_fastest():
    layer = load_detector("par04-siw").layers[0]
    radius = np.hypot(layer.x, layer.y).reshape(layer.shape)
    assert layer.shape == (16, 9)
    assert np.allclose(radius, radius[0])
    assert np.all(np.diff(radius[0]) > 0)


@pytest.mark.slow
@given(x=st.floats(-40, 39.99), y=st.floats(-80, 79.99))
def test_window_follows_atlas_rule(x, y):
    """The window holds exactly the cells whose centre lies within the half width."""
    barrel = load_detector("atlas-barrel")
    xs, ys = np.array([x]), np.array([y])
    centre = barrel.reference_centre(xs, ys)
    for section, layer in zip(barrel.readout_sections, barrel.layers, strict=True):
        segmentation = section.readout.segmentation
        starts = barrel.window_start(section, xs, ys)
        for axis in range(2):
            cell, half = segmentation.cell[axis], segmentation.window[axis]
            centres = (np.arange(640 / cell) + 0.5) * cell - 320
            inside = np.flatnonzero(np.abs(centres - centre[axis][0]) < half)
            assert inside[0] == starts[axis][0]
            assert len(inside) == layer.shape[axis]


@pytest.mark.slow
@given(x=st.floats(-40, 39.99), y=st.floats(-80, 79.99))
def test_window_offset_gives_absolute_positions(x, y):
    """Cell centre + offset + reference centre is where the grid's cell lies."""
    barrel = load_detector("atlas-barrel")
    xs, ys = np.array([x]), np.array([y])
    index, centre = barrel.reference_index(xs, ys), barrel.reference_centre(xs, ys)
    for section, layer in zip(barrel.readout_sections, barrel.layers, strict=True):
        starts = barrel.window_start(section, xs, ys)
        for axis, positions in enumerate((layer.x, layer.y)):
            state = index[axis][0] % barrel.alignment_states[axis]
            offset = barrel.window_offset(layer, axis)[state]
            cell = section.readout.segmentation.cell[axis]
            first = (starts[axis][0] + 0.5) * cell - 320
            assert positions.min() + offset + centre[axis][0] == pytest.approx(first)


def _changed(**changes):
    content = yaml.safe_load(load_detector("atlas-barrel").to_yaml())
    return yaml.safe_dump(content | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_changed(stacks=[]), "unknown key stacks"),
        (_changed(reference="nowhere"), "reference 'nowhere' is not a section"),
        (_changed(volume={"kind": "box", "width": ["641 mm", "640 mm"]}), "do not divide"),
        (_changed(volume={"kind": "box", "width": ["64 GeV", "640 mm"]}), "is not a length"),
        (_changed(beam={"x": ["-300 mm", "300 mm"]}), "leaves the layer"),
        (_changed(conditions={"energy": {"role": "log"}}), "must declare 'impact_eta'"),
        (_changed(beam={"theta": ["0 deg", "30 deg"]}), "must declare 'theta'"),
        (_changed(beam={"theta": ["30 deg", "0 deg"]}), "from the lower to the higher angle"),
        (_changed(beam={"theta": ["0 deg", "90 deg"]}), "within ±90 deg"),
        ("kind: [", "not valid YAML"),
        ("kind: cube", "no kind 'cube'; there are calorimeter, tpc, jet-image"),
    ],
)
def test_mistakes_are_named(text, message):
    with pytest.raises(DetectorError, match="detector: ") as caught:
        parse_detector(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_detector_lists_what_there_is():
    with pytest.raises(DetectorError, match="atlas-barrel"):
        load_detector("atlas-endcap")


def test_fingerprint_ignores_the_description_only(barrel):
    other = barrel.model_copy(update={"description": "something else"})
    assert other.fingerprint == barrel.fingerprint
    assert barrel.model_copy(update={"name": "x"}).fingerprint != barrel.fingerprint


def test_squares_that_fill_voxels_need_a_box():
    text = load_detector("par04-siw").to_yaml()
    content = yaml.safe_load(text) | {"volume": {"kind": "tube", "radius": "200 mm"}}
    with pytest.raises(DetectorError, match="squares to be scored need a box"):
        parse_detector(yaml.safe_dump(content))
    content["volume"] = {"kind": "box", "width": ["400 mm", "310 mm"]}
    with pytest.raises(DetectorError, match="do not divide"):
        parse_detector(yaml.safe_dump(content))
