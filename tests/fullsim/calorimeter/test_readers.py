"""Voxels that follow the particle: every square's energy goes where the line says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import SimulacraError
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.calorimeter.readers import section_readers
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.setup import Primaries
from tests.fullsim.conftest import FOLLOWING, WIDE, stack

DETECTOR = stack(WIDE, FOLLOWING, each="true")
(READER,) = section_readers(DETECTOR)
ROWS, COLUMNS = READER.readout.grid
SEEDS = np.array([[1, 2]])
FINE = FOLLOWING.replace("scored: 10 mm", "scored: 1 mm")


def aimed(x, y, slope_x, slope_y, z=-1.0):
    """Particles whose lines cross the front at (x, y)."""
    direction = np.array([[slope_x, slope_y, 1.0]])
    direction /= np.linalg.norm(direction)
    position = np.array([[x, y, 0.0]]) + z * direction / direction[0, 2]
    return Primaries(np.array([11]), np.array([1.0]), direction, position)


squares = st.tuples(st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1), st.integers(0, 5))
slopes = st.floats(-0.6, 0.6)


@given(squares, st.floats(-20, 20), st.floats(-20, 20), slopes, slopes)
def test_a_square_counts_where_it_lies_around_the_line(square, x, y, slope_x, slope_y):
    READER.aim(aimed(x, y, slope_x, slope_y), SEEDS)
    row, column, layer = square
    index = np.array([(row * COLUMNS + column) * 6 + layer])
    cells = READER.read(0, index, np.array([3.0])).reshape(6, 8, 4)

    depth = DETECTOR.layers[layer].depth
    inside = (np.arange(41) / 40)[:, None, None], (np.arange(41) / 40)[None, :, None]
    away = [
        (number + part) * 10 - 600 - (start + slope * depth)
        for number, part, start, slope in (
            (row, inside[0], x, slope_x),
            (column, inside[1], y, slope_y),
        )
    ]
    covered = {*DETECTOR.layers[0].segmentation.cells_at(*np.broadcast_arrays(*away)).ravel()}
    if not cells.any():
        assert -1 in covered
        return
    (hit,) = np.argwhere(cells)
    assert cells.sum() == pytest.approx(3.0 / 0.5)
    assert hit[0] == layer
    assert hit[1] * 4 + hit[2] in covered


@given(st.integers(0, 2**31))
def test_what_lies_within_the_rings_is_all_read_out(seed):
    rng = np.random.default_rng(seed)
    READER.aim(aimed(0.0, 0.0, 0.3, 0.0), SEEDS)
    index = rng.choice(ROWS * COLUMNS * 6, 50, replace=False)
    energy = rng.exponential(size=50)
    total = READER.read(0, index, energy).sum() * 0.5
    near = np.hypot(*(n * 10 + 5 - 600 for n in np.divmod(index // 6, COLUMNS))) < 250
    assert total <= energy.sum() * (1 + 1e-12)
    assert total >= energy[near].sum() * (1 - 1e-12) - 1e-9 or near.sum() == 0


def test_particles_start_upstream_and_cross_the_front_where_they_should():
    detector = stack(WIDE, FINE, beam="{theta: [-30 deg, 30 deg], z: -5 mm}", tilted=True)
    conditions = Conditions({"energy": np.full(3, 10.0), "theta": np.array([-0.5, 0.0, 0.4])})
    stream = np.random.SeedSequence(1)
    made = CalorimeterSetup(detector).primaries(conditions, Geant4Settings(particle="e-"), stream)
    np.testing.assert_allclose(np.linalg.norm(made.direction, axis=1), 1)
    np.testing.assert_allclose(
        np.arctan2(made.direction[:, 0], made.direction[:, 2]), [-0.5, 0, 0.4]
    )
    np.testing.assert_allclose(made.position[:, 2], -5)
    path = -made.position[:, 2] / made.direction[:, 2]
    front = made.position + path[:, None] * made.direction
    np.testing.assert_allclose(front, 0, atol=1e-12)


@pytest.mark.parametrize("name", ["par04-siw", "par04-siw-fine"])
@pytest.mark.parametrize("point", [(0.0, 0.0), (0.013, 0.021)])
def test_even_energy_fills_voxels_by_their_area(name, point):
    """Squares of one energy each, around a line that lies anywhere on them: flat sectors."""
    detector = load_detector(name)
    (reader,) = section_readers(detector)
    segmentation = detector.layers[0].segmentation
    rings, size = 4, segmentation.scored
    reach = int(segmentation.r_edges[rings] / size) + 3
    middle = [n // 2 for n in reader.readout.grid]
    rows, columns = np.meshgrid(*(np.arange(m - reach, m + reach) for m in middle))
    index = (rows.ravel() * reader.readout.grid[1] + columns.ravel()) * reader.readout.copies
    events, total = 40, 0.0
    line = aimed(*point, 0.0, 0.0)
    reader.aim(Primaries(*(np.repeat(v, events, 0) for v in line.columns.values())), SEEDS)
    for event in range(events):
        cells = reader.read(event, index, np.full(len(index), size**2))
        total += cells.reshape(-1, *segmentation.shape)[0, :, :rings] / events
    area = np.pi * np.diff(np.square(segmentation.r_edges[: rings + 1])) / segmentation.alpha
    shares = total * reader.readout.sampling_fraction / area
    np.testing.assert_allclose(shares, 1, atol=0.05)


def test_squares_too_coarse_for_their_rings_are_refused():
    with pytest.raises(SimulacraError, match=r"area of 0\.4 squares.*scored: 1\.66667 mm"):
        CalorimeterSetup(stack(WIDE, FOLLOWING))
    CalorimeterSetup(stack(WIDE, FOLLOWING.replace("10 mm", "1.6 mm")))


def test_more_cells_than_geant4_can_number_are_refused():
    text = load_detector("par04-siw-fine").to_yaml()
    with pytest.raises(SimulacraError, match=r"layer has 3744000000 cells .* numbers 2147483647"):
        CalorimeterSetup(parse_detector(text.replace("scored: 0.0775", "scored: 0.03875")))
