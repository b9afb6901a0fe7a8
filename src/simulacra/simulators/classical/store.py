"""The folder of a classical simulation: description, detector, and arrays as NumPy stores them.

Loading executes nothing: no pickles, and the digests must agree.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.arrays import Array
from simulacra.detectors import parse_detector
from simulacra.detectors.calorimeter.impacts import IMPACTS, impacts_of
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.files.atomic import settled, whole_folder
from simulacra.files.memory import require_room
from simulacra.files.simulator_files import ABOUT, DETECTOR
from simulacra.files.small_files import read_text
from simulacra.files.yaml_text import one_line_errors
from simulacra.particles import pdg_id
from simulacra.simulators.about import format_of, read_about, require_of_detector, write_about
from simulacra.simulators.classical.base import ClassicalSimulator, Made
from simulacra.simulators.classical.catalogue import find_classical

FORMAT = "simulacra-classical"
VERSION = 1
ARRAYS = "arrays.npz"
DIGESTED = (DETECTOR, ARRAYS)
FILES = (ABOUT, *DIGESTED)
"""All that a folder holds, the mark of a simulator first."""
COPIES = 2
"""How often an array is in memory while it is read."""


def is_classical(folder: Path) -> bool:
    """Return whether a folder holds a classical simulation, without loading it."""
    return format_of(folder) == FORMAT


def save(simulator: ClassicalSimulator, folder: Path) -> None:
    """Write a simulator to a folder, which appears whole or not at all."""
    made = simulator.made
    content = {
        "format": FORMAT,
        "format_version": VERSION,
        "kind": simulator.kind,
        "options": simulator.options.model_dump(mode="json"),
        "particles": list(made.particles),
        "ranges": {name: list(limits) for name, limits in made.ranges.items()},
        IMPACTS: impacts_of(made.detector),
        "about": dict(made.about),
    }
    with whole_folder(folder) as part:
        (part / DETECTOR).write_text(made.detector.to_yaml(), encoding="utf-8")
        with (part / ARRAYS).open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **dict(simulator.arrays))
        write_about(part, content, DIGESTED)


def load_classical(folder: str | Path) -> ClassicalSimulator:
    """Read the folder of a classical simulation.

    Raises:
        SimulatorError: it is incomplete, of a newer format, or was changed.
    """
    return settled(Path(folder), _read)


def _read(folder: Path) -> ClassicalSimulator:
    about = read_about(folder, VERSION, DIGESTED)
    try:
        detector = parse_detector(read_text(folder / DETECTOR, SimulatorError), DETECTOR)
        cls = find_classical(str(about.get("kind")))
        with one_line_errors("options", SimulatorError):
            options = cls.Options.model_validate(about.get("options"))
        particles = tuple(map(str, about.get("particles") or ()))
        for name in particles:
            pdg_id(name)
        require_of_detector(folder, about, detector)
        made = Made(detector, particles, about["ranges"], about["about"])
        simulator = cls(made, options, _read_arrays(folder / ARRAYS))
        simulator.check()
    except SimulacraError as error:
        msg = f"{folder}: {str(error).removeprefix(f'{folder}: ')}"
        raise SimulatorError(msg) from None
    return simulator


def _read_arrays(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        require_room(COPIES * size, f"{size / 1e6:.3g} MB of arrays")
        found: Any
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        msg = f"{path}: not readable arrays: {error}"
        raise SimulatorError(msg) from None
