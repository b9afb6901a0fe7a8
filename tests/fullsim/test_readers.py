"""Voxels that follow the particle: every square's energy goes where the line says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FOLLOWING, WIDE, stack
from simulacra.conditions import Conditions
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.calorimeter import CalorimeterSetup
from simulacra.fullsim.readers import section_readers
from simulacra.fullsim.setup import Primaries

DETECTOR = stack(WIDE, FOLLOWING, each="true")
(READER,) = section_readers(DETECTOR)
ROWS, COLUMNS = READER.readout.grid


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
    READER.aim(aimed(x, y, slope_x, slope_y))
    row, column, layer = square
    index = np.array([(row * COLUMNS + column) * 6 + layer])
    cells = READER.read(0, index, np.array([3.0])).reshape(6, 8, 4)

    depth = DETECTOR.layers[layer].depth
    away = [
        (number + 0.5) * 10 - 600 - (start + slope * depth)
        for number, start, slope in ((row, x, slope_x), (column, y, slope_y))
    ]
    radius, angle = np.hypot(*away), np.arctan2(away[1], away[0])
    if radius > 300:
        assert not cells.any()
        return
    (hit,) = np.argwhere(cells)
    edges = np.array([0, 10, 40, 120, 300])
    assert cells.sum() == pytest.approx(3.0 / 0.5)
    assert hit[0] == layer
    assert edges[hit[2]] <= radius * (1 + 1e-9)
    assert radius * (1 - 1e-9) <= edges[hit[2] + 1]
    assert abs(angle + np.pi - (hit[1] + 0.5) * np.pi / 4) <= np.pi / 8 + 1e-9


@given(st.integers(0, 2**31))
def test_what_lies_within_the_rings_is_all_read_out(seed):
    rng = np.random.default_rng(seed)
    READER.aim(aimed(0.0, 0.0, 0.3, 0.0))
    index = rng.choice(ROWS * COLUMNS * 6, 50, replace=False)
    energy = rng.exponential(size=50)
    total = READER.read(0, index, energy).sum() * 0.5
    near = np.hypot(*(n * 10 + 5 - 600 for n in np.divmod(index // 6, COLUMNS))) < 250
    assert total <= energy.sum() * (1 + 1e-12)
    assert total >= energy[near].sum() * (1 - 1e-12) - 1e-9 or near.sum() == 0


def test_particles_start_upstream_and_cross_the_front_where_they_should():
    detector = stack(WIDE, FOLLOWING, beam="{theta: [-30 deg, 30 deg], z: -5 mm}", tilted=True)
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
