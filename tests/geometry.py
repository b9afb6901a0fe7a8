"""Random calorimeters of every kind of read-out, and showers of points that anybody can bin."""

import math

import numpy as np
from pydantic import ValidationError

from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation
from simulacra.events import Events

WIDTH = 240.0
CELLS = (10.0, 20.0, 24.0, 30.0, 40.0, 48.0, 60.0, 80.0)
"""All divide the width: into even and odd numbers."""
KINDS = ("still", "windows", "rings", "following")


def random_detector(rng, kind, material="G4_Galactic"):
    """A calorimeter of 1 to 3 sections of 1 to 3 layers, its beam, and what it must declare."""
    while True:
        try:
            return Calorimeter.model_validate(_content(rng, kind, material))
        except ValidationError as error:  # windows that hold now more cells, now fewer
            if "window" not in str(error):
                raise


def _content(rng, kind, material):
    sections = int(rng.integers(1, 4))
    content = {
        "kind": "calorimeter",
        "name": kind,
        "volume": {"kind": "tube", "radius": WIDTH / 2}
        if kind == "rings"
        else {"kind": "box", "width": [WIDTH, WIDTH]},
        "conditions": {"energy": {"role": "log", "unit": "MeV"}},
        "stack": [_section(rng, kind, number, material) for number in range(sections)],
    }
    if kind == "windows" or (kind == "still" and rng.random() < 0.5):
        content["reference"] = f"s{rng.integers(sections)}"
    beam = content["beam"] = _beam(rng, kind)
    linear, conditions = {"role": "linear"}, content["conditions"]
    for axis in "xy":
        wide = beam[axis][0] < beam[axis][1]
        if kind == "windows" or wide or (kind != "following" and rng.random() < 0.3):
            conditions[f"impact_{axis}"] = linear
    if kind == "following":
        conditions.pop("impact_x", None), conditions.pop("impact_y", None)
    if beam["theta"][0] < beam["theta"][1]:
        conditions["theta"] = linear
    if beam["phi"][0] < beam["phi"][1]:
        conditions["phi"] = {"role": "cyclic"}
    return _with_alignments(content) if kind == "windows" else content


def _with_alignments(content):
    """Declare the alignments that the windows need."""
    cells = [s["readout"]["segmentation"]["cell"] for s in content["stack"]]
    reference = cells[int(content["reference"][1:])]
    for axis, name in enumerate("xy"):
        ratios = [
            round(cell[axis] * 1000)
            // math.gcd(round(cell[axis] * 1000), round(reference[axis] * 1000))
            for cell in cells
        ]
        states = math.lcm(*ratios)
        if states > 1:
            categories = list(range(states))
            content["conditions"][f"alignment_{name}"] = {
                "role": "categorical",
                "categories": categories,
            }
    return content


def _section(rng, kind, number, material):
    if kind in ("rings", "following"):
        edges = np.cumsum(rng.uniform(5, 20, rng.integers(1, 6)))
        start = 0.0 if rng.random() < 0.7 else 3.0
        cut = {"kind": "polar", "r_edges": [start, *edges], "alpha": int(rng.integers(1, 9))}
        if kind == "following":
            cut["scored"] = 1.0
    else:
        cell = rng.choice(CELLS[:4] if kind == "windows" else CELLS, 2)
        cut = {"kind": "cartesian", "cell": cell.tolist()}
        if kind == "windows":
            cut["window"] = ((rng.integers(1, 3, 2) + rng.choice([0.3, 0.5])) * cell).tolist()
    return {
        "name": f"s{number}",
        "repeat": int(rng.integers(1, 4)),
        "slabs": [{"material": material, "thickness": 10.0, "sensitive": True}],
        "readout": {"segmentation": cut, "each": bool(rng.random() < 0.7)},
    }


def _beam(rng, kind):
    half = 30.0 if kind == "windows" else WIDTH / 2 * 0.7
    beam = {}
    for axis in "xy":
        low, high = np.sort(rng.uniform(-half, half, 2))
        if kind != "windows" and rng.random() < 0.4:
            low = high = 0.0 if rng.random() < 0.5 else low
        elif rng.random() < 0.5:
            low, high = -high if high > 0 else low, abs(high)
        beam[axis] = [float(min(low, high)), float(max(low, high))]
    choice = rng.integers(5)
    beam["theta"] = [[0, 0], [0, 0], [-0.3, 0.3], [0.0, 0.3], [0.2, 0.2]][choice]
    whole = [-math.pi, math.pi]
    beam["phi"] = whole if choice >= 3 and rng.random() < 0.6 else [0, 0]
    return beam


def lines(detector, columns, rng):
    """Where particles of these conditions cross depths: a function of the depth, (n, 2)."""
    entered = np.column_stack(detector.enter(columns, rng))
    direction = detector.directions(columns)
    slopes = direction[:, :2] / direction[:, 2:]
    return lambda depth: entered + depth * slopes


def binned(detector, line, points, width=WIDTH):
    """Energies (n, cells): points (n, layers, k, 2) around the line, counted in the cells."""
    n = len(points)
    showers = np.zeros((n, detector.n_cells))
    front = line(0.0)
    sections = {s.readout.segmentation: s for s in detector.readout_sections}
    for number, layer in enumerate(detector.layers):
        around, cut = points[:, number], layer.segmentation
        place = around + line(layer.depth)[:, None]
        x, y = np.moveaxis(place, -1, 0)
        if isinstance(cut, CartesianSegmentation):
            start = np.zeros((n, 2))
            if cut.window is not None:
                start = np.column_stack(detector.window_start(sections[cut], *front.T))
            index = np.floor((place + width / 2) / np.array(cut.cell)) - start[:, None]
            inside = ((index >= 0) & (index < np.array(layer.shape))).all(axis=-1)
            cell = np.where(inside, index[..., 0] * layer.shape[1] + index[..., 1], -1)
        else:
            cell = (
                cut.cells_at(x, y)
                if cut.squares is None
                else cut.cells_at(*np.moveaxis(around, -1, 0))
            )
        cell = cell.astype(int)
        for row in range(n):
            here = cell[row][cell[row] >= 0]
            showers[row, layer.cells] = np.bincount(here, minlength=math.prod(layer.shape))
    return showers


def point_showers(detector, n=400, off=0.0, seed=1):
    """Events of points around the particle's line, by ``off`` mm too far to the right."""
    rng = np.random.default_rng(seed)
    columns = detector.draw(np.full(n, 1000.0), rng)
    points = rng.normal((off, 0), 12, (n, len(detector.layers), 60, 2))
    width = 2 * detector.volume.half_width[0]
    showers = binned(detector, lines(detector, columns, rng), points, width).astype(np.float32)
    return Events(Conditions(columns), {"showers": showers}, detector)
