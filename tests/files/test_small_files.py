"""Files of strangers that are read whole: their size is asked first, and they are UTF-8."""

import tracemalloc

import pytest

from simulacra.datasets.shipped import simulator_folder
from simulacra.detectors import load_detector
from simulacra.errors import SimulacraError
from simulacra.files.simulator_files import ABOUT, METRICS
from simulacra.files.small_files import parse_object
from simulacra.files.tensors import read_tensors
from simulacra.io.mapped.cell_map import read_cell_table
from simulacra.runtime import Runtime
from simulacra.simulators.trained import TrainedSimulator
from simulacra.training.card import Card
from simulacra.training.run import read_metrics
from simulacra.validation.thresholds import Thresholds


def cell_table(path):
    return read_cell_table(path, load_detector("calogan"), None)


READERS = {
    "cells.csv": cell_table,
    METRICS: read_metrics,
    "card.yaml": Card.load,
    "detector.yaml": load_detector,
    "binning.xml": load_detector,
    "limits.yaml": Thresholds.load,
    "weights.safetensors": read_tensors,
    "simulator.onnx": Runtime.load,
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_claims_more_than_the_memory_is_refused_before_it_is_taken(name, tmp_path):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole, which takes no place
    tracemalloc.start()
    try:
        with pytest.raises(SimulacraError, match=f"{name}: .*(MB; at most|this machine has)"):
            READERS[name](path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", [n for n in READERS if n.endswith((".csv", ".yaml", ".xml"))])
def test_text_that_is_not_utf8_is_one_line(name, tmp_path):
    path = tmp_path / name
    path.write_bytes("énergie: 5\n".encode("latin-1"))
    with pytest.raises(SimulacraError) as caught:
        READERS[name](path)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,cell\n1," + "9" * 30, "cell must be a whole number"),
        ("id,cell\n" + "9" * 200_000 + ",1", "field larger than field limit|whole numbers"),
        ('id,cell\n"' + "9" * 200_000 + '",1', "field larger than field limit"),
    ],
)
def test_numbers_of_a_cell_table_that_are_none_are_refused(text, words, tmp_path):
    (tmp_path / "cells.csv").write_text(text)
    with pytest.raises(SimulacraError, match=words):
        cell_table(tmp_path / "cells.csv")


def test_a_simulator_that_claims_more_than_is_read_is_refused(tmp_path):
    for file in simulator_folder("atlas-barrel-photons").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / ABOUT).open("r+b") as file:
        file.truncate(10**12)
    with pytest.raises(SimulacraError, match="at most 20 MB"):
        TrainedSimulator.load(tmp_path)


def test_json_that_is_no_object_is_a_value_error():
    assert parse_object('{"a": 1}') == {"a": 1}
    for text in ("[]", "3", "", "{", "[" * 100_000, b"\xff"):
        with pytest.raises(ValueError, match="needed|Expecting|nested|decode"):
            parse_object(text)
