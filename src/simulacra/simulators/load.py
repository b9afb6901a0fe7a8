"""Any simulator from where it lies: a name, a folder, an exported file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.datasets.shipped import shipped_simulators
from simulacra.errors import SimulatorError
from simulacra.files.devices import CPU, device_of
from simulacra.files.entry_points import Table
from simulacra.files.simulator_files import ABOUT

if TYPE_CHECKING:
    from simulacra.simulators.protocol import Simulator

EXPORTED = ".onnx"

SIMULATORS: Table[Callable[[], Simulator]] = Table("simulacra.simulators", {})
"""Simulators of other packages by name: a call without arguments returns one."""


def is_simulator(name: str | Path) -> bool:
    """Return whether a name, folder or file means a simulator, without loading it."""
    path = Path(name)
    named = str(name) in shipped_simulators() or path.suffix == EXPORTED
    return named or (path / ABOUT).is_file() or _of_another_package(name)


def _of_another_package(name: str | Path) -> bool:
    """Return whether another package has the name; shipped simulators and files come first."""
    taken = str(name) in shipped_simulators() or Path(name).exists()
    return not taken and str(name) in SIMULATORS


def load_simulator(name: str | Path, device: str = CPU) -> Simulator:
    """Return a simulator; exported and classical ones load no torch.

    Args:
        name: a shipped simulator's name, that of another package's, a folder of ``simulacra train``
            or ``simulacra build``, or a file of ``simulacra export --to onnx``.
        device: where a trained simulator's network runs: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or
            ``auto`` for CUDA where there is a device of it.

    Raises:
        SimulacraError: it is not there, or cannot be used.

    Example:
        >>> load_simulator("atlas-barrel-photons").detector.name
        'atlas-barrel'
    """
    if _of_another_package(name):
        return _on(SIMULATORS[str(name)](), name, device)
    if str(name) not in shipped_simulators():
        if Path(name).suffix == EXPORTED:
            from simulacra.simulators.exported import ExportedSimulator

            return _on(ExportedSimulator.load(name), name, device)
        from simulacra.simulators.classical.store import is_classical, load_classical

        if is_classical(Path(name)):
            return _on(load_classical(name), name, device)
    from simulacra.simulators.trained import TrainedSimulator

    return TrainedSimulator.load(name).on(device)


def _on(simulator: Simulator, name: str | Path, device: str) -> Simulator:
    """Return a simulator that has the CPU alone."""
    if device_of(device) != CPU:
        msg = f"{name} runs on the CPU alone, not on {device}: only trained simulators do"
        raise SimulatorError(msg)
    return simulator
