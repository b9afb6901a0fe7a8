"""What Geant4 deposits in detectors that are built from data: closed forms and symmetries."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import parse_detector
from simulacra.errors import DetectorError, SimulacraError
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool
from tests.fullsim.conftest import BOX, FOLLOWING, RINGS, TUBE, WIDE, stack

pytestmark = pytest.mark.geant4

FINE = FOLLOWING.replace("scored: 10 mm", "scored: 1 mm")
ELECTRONS = Geant4Settings(particle="e-")


def showers(detector, energies, seed=1, settings=ELECTRONS):
    conditions = Conditions({"energy": np.asarray(energies, np.float32)})
    return Geant4Simulator(detector, settings).simulate(conditions, seed)["showers"]


@pytest.fixture(scope="module")
def merged():
    """Showers of 300 MeV electrons in the box whose layers add up: (40, cells)."""
    return showers(stack(), np.full(40, 300.0))


def test_deposits_stay_below_the_incident_energy(merged):
    visible = merged.sum(axis=1) * 0.5  # times the sampling fraction
    assert np.all(visible > 0)
    assert np.all(visible < 300 * (1 + 1e-6))


def test_layers_read_out_one_by_one_add_up_to_the_merged_layer(merged):
    detector = stack(each="true")
    separate = showers(detector, np.full(40, 300.0))
    layers = separate.reshape(40, 6, -1)
    np.testing.assert_allclose(layers.sum(axis=1), merged, rtol=1e-4, atol=1e-4)
    assert np.all(np.count_nonzero(layers.sum(axis=2), axis=1) > 2)
    profile = layers.sum(axis=(0, 2))
    assert profile.argmax() in (0, 1, 2)
    assert profile[5] < profile.max() / 2


def test_a_tube_and_a_box_of_the_same_stack_see_the_same_energy(merged):
    tube = showers(stack(TUBE, RINGS), np.full(40, 300.0), seed=2)
    means = [s.sum(axis=1).mean() for s in (merged, tube)]
    errors = [s.sum(axis=1).std() / np.sqrt(40) for s in (merged, tube)]
    assert abs(means[0] - means[1]) < 4 * np.hypot(*errors)


def test_rings_around_the_line_see_what_rings_around_the_axis_see():
    """One way scores in rings, the other in squares: the same showers of straight particles."""
    energies = np.full(40, 300.0)
    rings, squares = (
        showers(stack(*how, each="true"), energies).reshape(40, 6, 8, 4).sum(axis=2)
        for how in ((TUBE, RINGS), (WIDE, FINE))
    )
    for axes in ((1, 2), (1,), (2,)):
        first, second = (s.sum(axis=axes) for s in (rings, squares))
        error = np.hypot(first.std(axis=0), second.std(axis=0)) / np.sqrt(40)
        difference = np.abs(first.mean(axis=0) - second.mean(axis=0))
        assert np.all(difference < 4 * error + 1e-6)


def test_an_inclined_shower_follows_its_line():
    """Squares see it move aside by depth tan(theta); rings around the line see it stay."""
    theta, energies = 0.4, np.full(20, 300.0)
    columns = {"energy": energies, "theta": np.full(20, theta)}
    beam = "{theta: [-30 deg, 30 deg]}"
    still, following = (
        Geant4Simulator(stack(WIDE, cut, each="true", beam=beam, tilted=True), ELECTRONS)
        .simulate(Conditions(columns), 1)["showers"]
        .reshape(20, 6, -1)
        for cut in ("{kind: cartesian, cell: [10 mm, 10 mm]}", FINE)
    )
    layers = stack(WIDE, "{kind: cartesian, cell: [10 mm, 10 mm]}", each="true").layers
    for number, layer in enumerate(layers[:4]):
        mean = still[:, number].mean(axis=0)
        expected = layer.depth * np.tan(theta)
        assert (mean @ layer.x) / mean.sum() == pytest.approx(expected, abs=8)
        assert (mean @ layer.y) / mean.sum() == pytest.approx(0, abs=8)
        inner = following[:, number].reshape(20, 8, 4)[..., :2].sum(axis=(1, 2))
        assert inner.sum() > 0.7 * following[:, number].sum()


CRYSTAL = """
kind: calorimeter
name: crystal
volume: {kind: box, width: [1 m, 1 m]}
beam: {z: 300 mm}
conditions: {energy: {role: log, unit: MeV}}
materials:
  tungstate: {density: 8.28 g/cm3, fractions: {G4_Pb: 0.455, G4_W: 0.404, G4_O: 0.141}}
stack:
  - name: block
    slabs: [{material: tungstate, thickness: 1 m, sensitive: true}]
    readout: {segmentation: {kind: cartesian, cell: [1 m, 1 m]}}
"""


def test_a_crystal_that_absorbs_all_closes_the_energy():
    energies = np.array([20.0, 100.0, 500.0] * 3)
    total = showers(parse_detector(CRYSTAL), energies).sum(axis=1)
    assert np.all(total <= energies * (1 + 1e-5))
    assert total.sum() == pytest.approx(energies.sum(), rel=1e-3)


@pytest.mark.parametrize("point", [(24.0, 9.0), (-9.0, -70.0)])
@pytest.mark.parametrize(("volume", "segmentation"), [(BOX, None), (TUBE, RINGS)])
def test_the_hottest_cell_lies_where_the_particle_went(volume, segmentation, point):
    beam = "{{x: [{0}, {0}], y: [{1}, {1}]}}".format(*point)
    detector = stack(volume, segmentation or "{kind: cartesian, cell: [20 mm, 30 mm]}", beam=beam)
    mean = showers(detector, np.full(6, 300.0)).mean(axis=0)
    layer = detector.layers[0]
    distance = np.hypot(layer.x - point[0], layer.y - point[1])
    if segmentation is None:
        assert mean.argmax() == distance.argmin()
    else:
        hot, angle = mean.argmax(), 2 * np.pi / 8
        alpha = np.arctan2(layer.y[hot], layer.x[hot])
        away = (np.arctan2(point[1], point[0]) - alpha + np.pi) % (2 * np.pi) - np.pi
        assert abs(away) < angle / 2
        edges = layer.segmentation.r_edges
        assert edges[hot % 4] < np.hypot(*point) < edges[hot % 4 + 1]


def test_a_muon_crosses_as_a_minimum_ionising_particle():
    muons = Geant4Settings(particle="mu-", cut="1 mm")
    total = showers(stack(), np.full(30, 2000.0), settings=muons).sum(axis=1) * 0.5
    # 36 mm of liquid argon at about 2.1 MeV/cm and a little more for its relativistic rise
    assert 6 < np.median(total) < 11


def test_what_geant4_does_not_know_is_one_line():
    text = CRYSTAL.replace("G4_O", "G4_Unobtainium")
    with pytest.raises(DetectorError, match="no material 'G4_Unobtainium'"):
        showers(parse_detector(text), [10.0])
    with pytest.raises(SimulacraError, match="has no particle 'Z0'"):
        showers(stack(), [10.0], settings=Geant4Settings(particle="Z0"))


def test_a_worker_refuses_another_detector():
    conditions = Conditions({"energy": np.array([1.0], np.float32)})
    with WorkerPool(1) as pool:
        Geant4Simulator(stack(), ELECTRONS, executor=pool).simulate(conditions, 1)
        other = Geant4Simulator(stack(each="true"), ELECTRONS, executor=pool)
        with pytest.raises(SimulacraError, match="use fresh workers"):
            other.simulate(conditions, 1)
