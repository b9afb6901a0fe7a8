"""Whatever the read-out, the beam and the directions: showers stay where the particle is."""

import math

import numpy as np
import pytest
import torch

from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.production import Geant4Simulator
from simulacra.models.blocks.cell_edges import CellEdges
from simulacra.transforms import ImpactEncoder, Reflections, Turns
from simulacra.transforms.calorimeter.symmetries import TURNS, Flip, allowed_symmetries, flipped_by
from tests.geometry import CELLS, KINDS, WIDTH, binned, lines, random_detector

DETECTORS = 60
"""Of each kind; 240 in all."""
EVENTS = 6


def _detectors(kind):
    for seed in range(DETECTORS):
        rng = np.random.default_rng([KINDS.index(kind), seed])
        yield rng, random_detector(rng, kind)


def _drawn(detector, rng, n=EVENTS):
    columns = detector.draw(np.full(n, 1000.0), rng)
    names = tuple(detector.conditions)
    return columns, torch.from_numpy(Conditions(columns).matrix(names))


def _by_name(detector, matrix):
    values = dict(zip(detector.conditions, matrix.numpy().T, strict=True))
    kinds = {n: np.int8 for n in values if n.startswith("alignment")}
    return {n: v.astype(kinds.get(n, np.float32)) for n, v in values.items()}


def _points(detector, rng, n=EVENTS):
    return rng.normal(0, 15, (n, len(detector.layers), 40, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_is_declared_and_placed_again(kind):
    for rng, detector in _detectors(kind):
        n = 20
        x, y = (rng.uniform(*span, n) for span in (detector.beam.x, detector.beam.y))
        columns = detector.locate(x, y) | {"energy": np.full(n, 1000.0)}
        drawn = detector.draw(np.full(n, 1000.0), rng)
        Conditions(drawn).check(detector)
        assert set(drawn) == set(detector.conditions)
        entered = detector.enter(columns, rng)
        for axis, true, found in zip(detector.axes, (x, y), entered, strict=True):
            if axis not in detector.declared_axes:
                continue
            if kind != "windows":
                np.testing.assert_allclose(found, true, atol=1e-4)
                continue
            # windows repeat with the alignment: what a network is told is the same there
            again = detector.locate(*entered)
            np.testing.assert_allclose(
                again[f"impact_{axis}"], columns[f"impact_{axis}"], atol=1e-4
            )


@pytest.mark.parametrize("kind", KINDS)
def test_mirrored_showers_are_those_of_mirrored_particles(kind):
    """Points and conditions mirrored by hand give what the fold gives."""
    folded_axes = 0
    for rng, detector in _detectors(kind):
        reflections = Reflections(detector, allowed_symmetries(detector))
        columns, matrix = _drawn(detector, rng)
        points = _points(detector, rng)
        line = lines(detector, columns, np.random.default_rng(1))
        cells = torch.from_numpy(binned(detector, line, points))
        mirrored = reflections.mirror(cells, matrix)
        folded = reflections.fold(matrix)
        assert torch.equal(reflections.mirror(mirrored, matrix), cells)
        assert torch.allclose(reflections.fold(folded), folded, atol=1e-6)
        signs = np.ones((EVENTS, 2))
        for axis, flips in zip(reflections.axes, reflections.flips, strict=True):
            side = matrix[:, flips[0].column].numpy()
            side = {Flip.OTHER_AZIMUTH: np.cos, Flip.OPPOSITE_AZIMUTH: np.sin}.get(
                flips[0].how, np.asarray
            )(side)
            signs[:, axis] = np.where(side < 0, -1, 1)
            folded_axes += 1
        moved = _by_name(detector, folded)
        there = lines(detector, moved, np.random.default_rng(1))
        if kind in ("still", "rings"):
            np.testing.assert_allclose(there(50.0), signs * line(50.0), atol=1e-3)
        expected = binned(detector, there, points * signs[:, None, None])
        # single precision of an impact moves a point in a thousand over an edge
        assert np.abs(mirrored.numpy() - expected).sum() <= 0.01 * cells.sum().item() + 2
    assert folded_axes > (15 if kind != "following" else 5)


def test_turned_showers_are_those_of_turned_points():
    turned = 0
    for kind in ("rings", "following"):
        for rng, detector in _detectors(kind):
            symmetries = allowed_symmetries(detector)
            if TURNS not in symmetries:
                assert len(Turns(detector, ()).orders) == 1
                continue
            columns, _ = _drawn(detector, rng)
            line = lines(detector, columns, np.random.default_rng(1))
            points = _points(detector, rng)
            orders = Turns(detector, symmetries).orders.numpy()
            whole = [layer for layer in detector.layers if math.prod(layer.shape) > 1]
            shared = np.concatenate([np.arange(la.cells.start, la.cells.stop) for la in whole])
            cells = binned(detector, line, points)[:, shared]
            rotations, turned = len(orders) // 2, turned + 1
            for number, order in enumerate(orders):
                angle = 2 * math.pi * (number % rotations) / rotations
                c, s = math.cos(angle), math.sin(angle)
                moved = points @ np.array([[c, s], [-s, c]])
                if number >= rotations:
                    moved = moved * [1, -1]
                expected = binned(detector, line, moved)[:, shared]
                assert np.abs(cells[:, order] - expected).sum() <= 2
    assert turned > 10


def test_nothing_is_turned_about_an_axis_where_no_particle_is():
    for kind in KINDS[:3]:
        for _, detector in _detectors(kind):
            on_axis = detector.beam.x == detector.beam.y == (0.0, 0.0)
            if kind != "rings" or detector.declared_axes or not on_axis:
                assert TURNS not in allowed_symmetries(detector)


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_is_told_where_cells_lie_around_the_line(kind):
    for rng, detector in _detectors(kind):
        symmetries = allowed_symmetries(detector)
        encoder = ImpactEncoder(detector, 1, symmetries)
        columns, matrix = _drawn(detector, rng)
        encoder.fit(matrix)
        assert torch.allclose(encoder(matrix), encoder(encoder.reflections.fold(matrix)), atol=1e-3)
        matrix = encoder.reflections.fold(matrix)
        columns = _by_name(detector, matrix)
        found = encoder(matrix)[:, -encoder.positions :].view(EVENTS, 2, -1).numpy()
        line = lines(detector, columns, rng)
        sections = {s.readout.segmentation: s for s in detector.readout_sections}
        for number, layer in enumerate(detector.layers):
            cut = layer.segmentation
            if not isinstance(cut, CartesianSegmentation):
                assert not found[:, :, number].any()
                continue
            start = np.column_stack(detector.window_start(sections[cut], *line(0.0).T))
            middle = (start + np.array(layer.shape) / 2) * cut.cell - WIDTH / 2
            np.testing.assert_allclose(found[:, :, number], middle - line(layer.depth), atol=1e-3)


def _grid(cell, layers=3, **beam):
    """Cells that stand still, as wide in all layers."""
    content = {
        "kind": "calorimeter",
        "name": "grid",
        "volume": {"kind": "box", "width": [WIDTH, WIDTH]},
        "beam": {"x": [-50, 50], "y": [-50, 50], **beam},
        "conditions": {
            "energy": {"role": "log"},
            "impact_x": {"role": "linear"},
            "impact_y": {"role": "linear"},
        },
        "stack": [
            {
                "name": "s",
                "repeat": layers,
                "slabs": [{"material": "G4_Galactic", "thickness": 10.0, "sensitive": True}],
                "readout": {
                    "segmentation": {"kind": "cartesian", "cell": [cell, cell]},
                    "each": True,
                },
            }
        ],
    }
    return Calorimeter.model_validate(content)


@pytest.mark.parametrize("cell", CELLS)
def test_one_cell_further_the_shower_is_one_cell_further(cell):
    """Of points, and of what the network sees of each cell: even and odd numbers of cells."""
    detector, rng = _grid(cell), np.random.default_rng(3)
    columns, _ = _drawn(detector, rng)
    moved = columns | {"impact_x": columns["impact_x"] + np.float32(cell)}
    points = rng.normal(0, 4, (EVENTS, 3, 40, 2))
    line = lines(detector, columns, rng)
    here = binned(detector, line, points).reshape(EVENTS, 3, *detector.layers[0].shape)
    there = binned(detector, lines(detector, moved, rng), points).reshape(here.shape)
    assert np.abs(np.roll(here, 1, axis=2) - there)[:, :, 1:].sum() <= 2
    encoder = ImpactEncoder(detector, 1, ())
    edges = CellEdges([(detector.layers, range(3))], 3)
    both = []
    for given in (columns, moved):
        tensor = torch.from_numpy(Conditions(given).matrix(tuple(detector.conditions)))
        positions = encoder(tensor)[:, -encoder.positions :].view(EVENTS, 2, 3)
        both.append(edges(positions)[0])
    (rows, across), (moved_rows, same) = both
    assert torch.allclose(rows[:, :, :-1], moved_rows[:, :, 1:], atol=1e-4)
    assert torch.allclose(across, same, atol=1e-6)


def test_what_flips_in_a_mirror_is_told():
    detector = _grid(20.0)
    (impact,) = flipped_by(detector, 0)
    assert impact.how is Flip.NEGATIVE
    assert list(detector.conditions)[impact.column] == "impact_x"


@pytest.mark.slow
@pytest.mark.geant4
@pytest.mark.parametrize("seed", range(5))
def test_geant4_s_showers_are_where_the_conditions_say(seed):
    """Five random calorimeters of lead, a few electrons each, read out by Geant4."""
    kind = (*KINDS, "still")[seed]
    rng = np.random.default_rng([100, seed])
    detector = random_detector(rng, kind, "G4_Pb")
    n = 12
    conditions = Conditions(detector.draw(np.full(n, 300.0), rng))
    electrons = Geant4Settings(particle="e-")
    events = Geant4Simulator(detector, electrons).simulate(conditions, 1)
    layer = max(detector.layers[:2], key=lambda la: math.prod(la.shape))
    if kind in ("rings", "following") and layer.shape[0] < 3:
        assert events["showers"].sum() > 0
        return
    line = lines(detector, conditions.columns, rng)(layer.depth)
    if not {"impact_x", "impact_y"} <= set(detector.conditions) and detector.stands_still:
        line = np.where([a in detector.declared_axes for a in "xy"], line, np.nan)
    cells = events["showers"][:, layer.cells].astype(float)
    seen = cells.sum(axis=1) > 0
    x, y = (cells[seen] @ v / cells[seen].sum(axis=1) for v in (layer.x, layer.y))
    origin = np.zeros((n, 2))
    if kind == "following":
        origin = line
    if kind == "windows":
        cut = layer.segmentation
        section = next(s for s in detector.readout_sections if layer.name.startswith(s.name))
        entered = detector.enter(conditions.columns, rng)
        start = np.column_stack(detector.window_start(section, *entered))
        origin = (start + np.array(layer.shape) / 2) * cut.cell - WIDTH / 2
    away = np.column_stack([x, y]) + origin[seen] - line[seen]
    coarse = max(layer.segmentation.cell) if hasattr(layer.segmentation, "cell") else 40.0
    assert np.nanmedian(np.abs(away)) < 0.75 * coarse
