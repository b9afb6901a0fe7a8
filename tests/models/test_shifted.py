"""A detector or beam one cell further gives showers one cell further, in generated events."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.events import Events
from simulacra.io import write_events
from simulacra.simulators.trained import train
from simulacra.training.card import Card
from tests.conftest import SMALL_MODELS, random_events
from tests.geometry import point_showers
from tests.transforms.calorimeter.test_any_geometry import _grid

CELL = 40.0


def trained(detector, samples, folder, steps, **options):
    folder.mkdir()
    (folder / "detector.yaml").write_text(detector.to_yaml())
    for name, events in samples.items():
        write_events(events, folder / f"{name}.h5")
    card = {
        "detector": str(folder / "detector.yaml"),
        "data": {name: str(folder / f"{name}.h5") for name in samples},
        "model": SMALL_MODELS["flow-matching"] | options,
        "training": {"steps": steps, "batch_size": min(256, len(samples["train"]))},
        "selection": {"every": steps, "repeat": 1},
        "seed": 1,
    }
    return train(Card.model_validate(card), folder / "simulator")


def beam_moved(detector, by):
    content = detector.model_dump()
    content["beam"] |= {"x": tuple(value + by for value in detector.beam.x)}
    return Calorimeter.model_validate(content)


@pytest.mark.slow
def test_windows_under_another_cell_are_the_same_windows(barrel, tmp_path):
    """A whole period of cells further, the same data give the same simulator, bit by bit."""
    period = barrel.alignment_states[0] * barrel.reference_cell[0]
    moved = beam_moved(barrel, period)
    simulators, drawn = [], []
    for detector in (barrel, moved):
        rng = np.random.default_rng(7)
        x, y = rng.uniform(*barrel.beam.x, 50), rng.uniform(*barrel.beam.y, 50)
        drawn.append(detector.locate(x + (period if detector is moved else 0.0), y))
        data = {
            name: random_events(barrel, 40, seed) for name, seed in (("train", 1), ("selection", 2))
        }
        samples = {n: Events(e.conditions, e.response, detector) for n, e in data.items()}
        folder = tmp_path / f"{detector.beam.x[0]:g}"
        simulators.append(trained(detector, samples, folder, 4))
    for name in drawn[0]:
        np.testing.assert_allclose(drawn[0][name], drawn[1][name], atol=1e-4)
    columns = Conditions({"energy": np.full(50, 2000.0, np.float32), **drawn[0]})
    here, there = (simulator.simulate(columns, 3)["showers"] for simulator in simulators)
    assert np.array_equal(here, there)
    x, _ = barrel.place(columns.columns)
    x_moved, _ = moved.place(columns.columns)
    np.testing.assert_allclose(x_moved - x, period, atol=1e-3)


def centres(detector, showers):
    layer = detector.layers[0]
    return showers @ layer.x / showers.sum(axis=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*occur twice", "ignore:.*are in data.train")
def test_among_cells_that_stand_still_one_cell_further_is_one_cell_further(tmp_path):
    """Of one simulator that was trained for seconds on the whole face, one cell apart."""
    detector = _grid(CELL, layers=1)
    samples = {
        "train": point_showers(detector, 1500, seed=1),
        "selection": point_showers(detector, 300, seed=2),
    }
    simulator = trained(
        detector, samples, tmp_path / "grid", 250, cell_width=32, marginal_width=32, marginal_rank=8
    )
    n, rng = 600, np.random.default_rng(5)
    columns = detector.draw(np.full(n, 1000.0), rng)
    columns["impact_x"] = rng.uniform(-45, 5, n).astype(np.float32)
    moved = columns | {"impact_x": columns["impact_x"] + np.float32(CELL)}
    here, there = (
        simulator.simulate(Conditions(given), 1)["showers"].astype(float)
        for given in (columns, moved)
    )
    shift = centres(detector, there) - centres(detector, here)
    assert abs(shift.mean() - CELL) < 0.05 * CELL
    rolled = np.roll(here.reshape(n, *detector.layers[0].shape), 1, axis=1)
    profile, expected = (
        v.reshape(n, *detector.layers[0].shape).sum(axis=(0, 2)) for v in (there, rolled)
    )
    assert np.abs(profile - expected).sum() < 0.1 * expected.sum()
