"""Showers that an engine makes are those of one process."""

import numpy as np
import pytest

import simulacra as sim
from simulacra.engines.worker import make_chunks
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.simulators import task
from simulacra.simulators.generate import asked_conditions
from simulacra.simulators.produce import produce
from simulacra.statistics.series import SERIES, seed_of, series

NAME = "atlas-barrel-photons"


class Here:
    """An engine whose machine is this process; it makes the last chunks first, and may stop."""

    def __init__(self, most=None):
        self.most = most

    def run(self, parts, numbers):
        for number in list(reversed(numbers))[: self.most]:
            make_chunks(parts.folder, [number])
            yield number
        if self.most:
            msg = "a machine died"
            raise SimulacraError(msg)


def test_an_engine_gives_the_events_of_one_process(tmp_path):
    output, progress = tmp_path / "e.h5", []
    conditions = asked_conditions(sim.load_simulator(NAME), "2GeV", SERIES + 40, 3)
    arguments = (NAME, conditions, 3, output)
    with pytest.raises(SimulacraError, match=r"a machine died; the same call continues"):
        produce(*arguments, Here(most=1))
    with pytest.raises(SimulacraError, match="another job"):
        produce(NAME, conditions, 4, output, Here())
    produce(*arguments, Here(), on_progress=lambda *done: progress.append(done))
    expected = sim.load_simulator(NAME).simulate(conditions, 3)
    written = sim.read_events(output)
    assert np.array_equal(written["showers"], expected["showers"])
    assert written.provenance == expected.provenance
    assert progress == [("generating", 40, SERIES + 40), ("generating", SERIES + 40, SERIES + 40)]
    assert [path.name for path in tmp_path.iterdir()] == ["e.h5"]


def test_conditions_are_refused_before_anything_is_handed_over(tmp_path):
    conditions = asked_conditions(sim.load_simulator(NAME), "10TeV", 3, 3)
    with pytest.raises(SimulatorError, match="far outside"):
        produce(NAME, conditions, 3, tmp_path / "e.h5", Here())
    assert not [*tmp_path.iterdir()]


def test_a_simulator_that_changed_is_refused(tmp_path):
    place = tmp_path / "exported.onnx"
    place.write_bytes(b"one")
    arguments = task.arguments_of(place, 1, 1)
    place.write_bytes(b"other")
    with pytest.raises(SimulatorError, match="is not what it was"):
        task.open_task(arguments, tmp_path / "inputs.h5")


def test_series_have_seeds_of_their_own_whatever_follows():
    every = list(series(3 * SERIES, 7))
    assert every[:2] == list(series(2 * SERIES, 7))
    assert len({seed for _, seed in every}) == 3
    assert every[0][1] == 7
    assert all(0 <= seed_of(2**63 - 1, number) < 2**63 for number in range(50))
