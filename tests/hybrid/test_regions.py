"""Frames, faces and cells of calorimeters in a world."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import CardError
from simulacra.fullsim.calorimeter.readout import section_readouts, window_starts
from simulacra.hybrid.regions import Region, require_apart, whole_layers
from tests.detectors.calorimeter.test_places import ANGLES, IMPACTS, own
from tests.hybrid.conftest import entries

ATLAS = load_detector("atlas-barrel")
ONLY_X = {"impact_x": IMPACTS["impact_x"]}
TUBE = """
kind: calorimeter
name: tube
volume: {kind: tube, radius: 100 mm}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: core
    slabs: [{material: G4_Pb, thickness: 100 mm, sensitive: true}]
    readout: {segmentation: {kind: polar, alpha: 4, r_edges: [0, 50 mm, 100 mm]}}
"""


def test_voxels_that_follow_one_particle_are_refused():
    with pytest.raises(CardError, match="region b: the voxels of par04-siw follow one particle"):
        Region("b", load_detector("par04-siw"))


def enter(region, points, directions):
    points, directions = np.atleast_2d(points).astype(float), np.atleast_2d(directions)
    n = len(points)
    return region.entries(np.full(n, 22), np.full(n, 2000.0), points, directions.astype(float))


def test_a_particle_that_comes_straight():
    inside, found = enter(Region("barrel", ATLAS), [10.0, -20.0, -5.0], [0, 0, 1])
    assert inside.tolist() == [True]
    assert (found.x[0], found.y[0], found.angle[0]) == (10.0, -20.0, 0.0)
    assert found.margin[0] == 300.0


def test_what_does_not_enter_the_front_face():
    region = Region("barrel", ATLAS, position=(0.0, 0.0, 100.0))
    points = [[0, 0, 0], [0, 0, 0], [0, 0, 110], [400, 0, 0], [0, 0, 800]]
    directions = [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, -1]]
    inside, _ = enter(region, points, directions)
    assert inside.tolist() == [True, False, False, False, False]


@settings(deadline=None, max_examples=50)
@given(st.floats(-math.pi, math.pi), st.floats(-300, 300), st.floats(-300, 300))
def test_a_turned_region_sees_the_same(turn, x, y):
    position = np.array([500.0, -70.0, 900.0])
    still, turned = Region("a", ATLAS), Region("b", ATLAS, tuple(position), turn)
    point, direction = np.array([x, y, -30.0]), np.array([0.1, -0.2, math.sqrt(0.95)])
    ahead, straight = enter(still, point, direction)
    there, same = enter(turned, turned.axes @ point + position, turned.axes @ direction)
    assert ahead.tolist() == there.tolist()
    for name in ("x", "y", "angle", "margin"):
        np.testing.assert_allclose(getattr(same, name), getattr(straight, name), atol=1e-9)
    assert turned.on_face(turned.axes @ np.array([x, y, 0.0]) + position)
    assert not turned.on_face(turned.axes @ np.array([x, y, 0.1]) + position)


def test_the_turn_is_the_one_that_geant4_makes():
    east = Region("east", ATLAS, (100.0, 0.0, 0.0), math.pi / 2)
    np.testing.assert_allclose(east.centre, [100 + ATLAS.depth / 2, 0, 0], atol=1e-9)
    inside, found = enter(east, [0.0, 5.0, -7.0], [1, 0, 0])
    assert inside[0]
    np.testing.assert_allclose((found.x[0], found.y[0]), (7.0, 5.0), atol=1e-9)


def test_a_tube_s_margin_is_to_its_rim():
    inside, found = enter(Region("tube", parse_detector(TUBE)), [30.0, 40.0, -1.0], [0, 0, 1])
    assert inside[0]
    assert found.margin[0] == 50.0


# --- cells -------------------------------------------------------------------------------------


def test_all_cells_of_the_layers():
    whole = whole_layers(ATLAS)
    assert [layer.shape for layer in whole.layers] == [(16, 4), (128, 4), (16, 16), (8, 16)]
    assert list(whole.conditions) == ["energy"]
    assert whole_layers(whole).layers[1].shape == (128, 4)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_the_window_s_cells_are_those_that_full_simulation_reads(seed):
    """Scores of whole layers, read through the window, or picked from all cells."""
    region, rng = Region("barrel", ATLAS), np.random.default_rng(seed)
    x, y = rng.uniform(-170, 170, 3), rng.uniform(-75, 75, 3)
    picked, starts = region.cells(x, y), window_starts(ATLAS, x, y)
    scored = rng.random(region.layers.n_cells)
    for row in range(3):
        for number, (window, section) in enumerate(
            zip(section_readouts(ATLAS), region.sections, strict=True)
        ):
            cells = scored[section.cells]
            index = np.arange(len(cells))
            read = window.read(index, cells[section.place(index)], starts[row, number])
            expected = scored[picked[row, window.cells]] / window.sampling_fraction
            np.testing.assert_allclose(read, expected)


def test_windows_must_lie_within_the_layers():
    region = Region("barrel", ATLAS)
    fits = region.is_read_out(entries(x=[0.0, 199.0, 201.0, 300.0], y=0.0))
    assert fits.tolist() == [True, True, False, False]


def test_a_read_out_without_a_window_stays_at_its_beam_spot():
    region = Region("box", load_detector("clic-ecal"))
    fits = region.is_read_out(entries(x=[0.0, 1e-9, 1.0], y=0.0))
    assert fits.tolist() == [True, True, False]


def test_conditions_of_particles_that_enter():
    region = Region("barrel", ATLAS)
    conditions = region.conditions(entries(energy=[3000.0, 4000.0], x=[1.0, 50.0], y=[2.0, -60.0]))
    conditions.check(ATLAS)
    x, y = ATLAS.place(conditions.columns)
    np.testing.assert_allclose(x % 80, np.array([1.0, 50.0]) % 80, atol=1e-4)
    np.testing.assert_allclose(y % 160, np.array([2.0, -60.0]) % 160, atol=1e-4)


TILTED = Path(__file__).parents[1] / "small-tilted-cube.yaml"


def test_the_angle_of_incidence_is_a_condition():
    region = Region("box", load_detector(TILTED), turn=0.5)
    thetas, askew = np.array([-0.3, 0.0, 0.3, 0.3]), np.array([0.0, 5e-4, 0.0, 2e-3])
    own = np.column_stack(
        [np.sin(thetas) * np.cos(askew), np.sin(askew), np.cos(thetas) * np.cos(askew)]
    )
    inside, found = enter(region, -own @ region.axes.T, own @ region.axes.T)
    assert inside.all()
    conditions = region.conditions(found)
    conditions.check(region.detector)
    np.testing.assert_allclose(conditions["theta"], thetas, atol=1e-7)
    np.testing.assert_allclose(found.askew, askew, atol=1e-7)
    assert region.is_described(found, conditions).tolist() == [True, True, True, False]
    assert Region("barrel", ATLAS).is_described(found, conditions).all()  # there the rules decide
    assert list(region.layers.conditions) == ["energy"]


# --- apart -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "turn", "apart"),
    [
        ((0.0, 0.0, 600.0), 0.0, True),
        ((0.0, 0.0, ATLAS.depth), 0.0, False),
        ((0.0, 0.0, -1.0), math.pi, True),
        ((310.0, 0.0, 300.0), math.pi / 2, False),
        ((330.0, 0.0, 300.0), math.pi / 2, True),
        ((600.0, 0.0, 0.0), math.pi / 4, True),
        ((0.0, 641.0, 0.0), 1.0, True),
        ((0.0, 639.0, 0.0), 1.0, False),
    ],
)
def test_regions_neither_overlap_nor_touch(position, turn, apart):
    regions = [Region("a", ATLAS), Region("b", ATLAS, position, turn)]
    if apart:
        require_apart(regions)
    else:
        with pytest.raises(CardError, match="a and b overlap or touch"):
            require_apart(regions)


# --- cells that stand still ---------------------------------------------------------------------


def test_an_impact_is_the_position_and_need_not_be_at_a_point():
    """Showers are placed where they are: the detector's cells are all cells of its layers."""
    detector = own(beam={"x": ["-60 mm", "60 mm"], "y": "0 mm"}, declared=ONLY_X)
    region = Region("own", detector, position=(5.0, 7.0, 100.0))
    _, found = enter(region, [[65.0, 7.0, 0.0], [-45.0, 9.0, 0.0]], [[0, 0, 1], [0, 0, 1]])
    conditions = region.conditions(found)
    np.testing.assert_allclose(conditions["impact_x"], [60.0, -50.0])
    assert region.is_read_out(found).tolist() == [True, False]  # nothing says y
    np.testing.assert_array_equal(region.cells(found.x, found.y)[0], np.arange(detector.n_cells))


def test_directions_in_space_are_conditions():
    detector = own(declared=IMPACTS | ANGLES, beam={"theta": [0.0, 0.3], "phi": [-3.1, 3.1]})
    region = Region("own", detector, turn=0.4)
    theta, phi = np.array([0.0, 0.2, 0.25]), np.array([0.0, -2.0, 3.0])
    own_frame = np.column_stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    )
    inside, found = enter(region, -own_frame @ region.axes.T, own_frame @ region.axes.T)
    assert inside.all()
    conditions = region.conditions(found)
    conditions.check(detector)
    np.testing.assert_allclose(conditions["theta"], theta, atol=1e-7)
    np.testing.assert_allclose(conditions["phi"][1:], phi[1:], atol=1e-6)
    assert region.is_described(found, region.conditions(found)).all()
    ranges = {"theta": (0.0, 0.3), "phi": (-2.5, 2.5)}
    assert conditions.outside(ranges, detector).tolist() == [False, False, True]


def test_a_fixed_azimuth_is_a_plane_of_its_own():
    """Particles that fly out of the plane in which the angle is told stay in full simulation."""
    detector = own(
        declared=IMPACTS | {"theta": ANGLES["theta"]},
        beam={"theta": [0.0, 0.3], "phi": "90 deg"},
    )
    region = Region("own", detector)
    upwards, aside = [0.0, math.sin(0.2), math.cos(0.2)], [math.sin(0.2), 0.0, math.cos(0.2)]
    _, found = enter(region, [[0, 0, -1], [0, 0, -1]], [upwards, aside])
    np.testing.assert_allclose(region.conditions(found)["theta"], 0.2, atol=1e-7)
    assert region.is_described(found, region.conditions(found)).tolist() == [True, False]


def test_all_cells_of_the_layers_have_no_beam_spot():
    whole = whole_layers(own(beam={"x": ["-60 mm", "60 mm"]}))
    assert list(whole.conditions) == ["energy"]
