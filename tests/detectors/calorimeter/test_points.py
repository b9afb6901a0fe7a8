"""Energies of points land in the cells in which full simulation would have scored them."""

import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.detectors.calorimeter.points import Lines, Points, read_out
from simulacra.fullsim.calorimeter.readers import section_readers
from simulacra.fullsim.setup import Primaries

N, EACH = 6, 400


def scattered(detector, theta, seed=1):
    """Lines of particles, and points with energy anywhere around them in the stack."""
    rng = np.random.default_rng(seed)
    columns = detector.draw(np.full(N, 1000.0), rng)
    if "theta" in columns:
        columns["theta"] = np.full(N, theta)
    x, y = detector.enter(columns, rng)
    lines = Lines(x, y, detector.directions(columns))
    event = np.repeat(np.arange(N), EACH)
    z = rng.uniform(-5, detector.depth + 5, N * EACH)
    at_x, at_y = lines.at(event, z)
    width = 60.0
    energy = rng.exponential(1.0, N * EACH)
    return lines, Points(
        event,
        at_x + rng.normal(0, width, N * EACH),
        at_y + rng.normal(0, width, N * EACH),
        z,
        energy,
    )


def scored(detector, section, copies, grid, points, chosen):
    """Return flat indices in (grid, copies) of points of a section, as Geant4 numbers cells."""
    front = sum(s.thickness for s in detector.stack[: detector.stack.index(section)])
    copy = ((points.z[chosen] - front) / (section.thickness / copies)).astype(int)
    width = detector.volume.width
    size = [w / n for w, n in zip(width, grid, strict=True)]
    row, column = (
        ((v[chosen] + w / 2) / s).astype(int)
        for v, w, s in zip((points.x, points.y), width, size, strict=True)
    )
    return (row * grid[1] + column) * copies + copy


@pytest.mark.parametrize("name", ["atlas-barrel", "calogan", "tests/small-cube.yaml"])
def test_cells_are_those_of_the_full_simulation(name):
    detector = load_detector(name)
    lines, points = scattered(detector, 0.0)
    primaries = Primaries(
        np.full(N, 22),
        np.full(N, 1000.0),
        lines.direction,
        np.column_stack([lines.x, lines.y, np.zeros(N)]),
    )
    expected = np.zeros((N, detector.n_cells))
    within = np.abs(points.x) < detector.volume.width[0] / 2
    within &= np.abs(points.y) < detector.volume.width[1] / 2
    readers = section_readers(detector)
    for section, reader in zip(detector.readout_sections, readers, strict=True):
        reader.aim(primaries, np.zeros((N, 2), int))
        front = sum(s.thickness for s in detector.stack[: detector.stack.index(section)])
        inside = within & (points.z >= front) & (points.z < front + section.thickness)
        for event in range(N):
            chosen = np.flatnonzero(inside & (points.event == event))
            readout = reader.readout
            index = scored(detector, section, readout.copies, readout.grid, points, chosen)
            cells, inverse = np.unique(index, return_inverse=True)
            energy = np.bincount(inverse, points.energy[chosen], len(cells))
            expected[event, readout.cells] = reader.read(event, cells, energy)
    assert read_out(detector, lines, points) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_rings_follow_an_inclined_line():
    """Points on the line itself lie in the innermost ring of their layer."""
    detector = load_detector("par04-siw")
    theta = np.array([0.0, 0.3, 0.5])
    lines = Lines(np.zeros(3), np.zeros(3), detector.directions({"energy": theta, "theta": theta}))
    middles = np.array([layer.depth for layer in detector.layers])
    event = np.repeat(np.arange(3), len(middles))
    z = np.tile(middles, 3)
    x, y = lines.at(event, z)
    points = Points(event, x, y, z, np.ones(len(event)))
    showers = read_out(detector, lines, points).reshape(3, len(middles), 16, 9)
    assert showers[:, :, :, 0].sum(axis=2) == pytest.approx(1 / 0.033)
    assert showers[:, :, :, 1:].sum() == 0


def test_what_is_outside_is_not_read_out():
    detector = load_detector("calogan")
    lines = Lines(np.zeros(1), np.zeros(1), np.array([[0.0, 0.0, 1.0]]))
    outside = [(300.0, 0.0, 50.0), (0.0, -300.0, 50.0), (0.0, 0.0, -1.0), (0.0, 0.0, 481.0)]
    x, y, z = np.array(outside).T
    points = Points(np.zeros(4, int), x, y, z, np.ones(4))
    assert read_out(detector, lines, points).sum() == 0
