"""Any fast simulator from where it lies: a shipped name, a folder, an exported file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.datasets.shipped import shipped_simulators
from simulacra.simulators.exported import SUFFIX, ExportedSimulator

if TYPE_CHECKING:
    from simulacra.simulators.trained import FastSimulator


def load_simulator(name: str | Path) -> FastSimulator:
    """Return a fast simulator; an exported one loads no torch.

    Args:
        name: a shipped simulator's name, a simulator's folder, or a file of ``simulacra export
            --to onnx``.

    Raises:
        SimulacraError: it is not there, or cannot be used.

    Example:
        >>> load_simulator("atlas-barrel-photons").detector.name
        'atlas-barrel'
    """
    if Path(name).suffix == SUFFIX and str(name) not in shipped_simulators():
        return ExportedSimulator.load(name)
    from simulacra.simulators.trained import TrainedSimulator

    return TrainedSimulator.load(name)
