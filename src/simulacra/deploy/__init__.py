"""Trained simulators out of Python: ONNX for any of them, LWTNN, Par04 and FastCaloSim for some.

A form of export is one function ``write(simulator, path, on_progress) -> str`` and one row here; it
returns, in a few words, what was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from simulacra.errors import ExportError
from simulacra.files.progress import OnProgress, silent

if TYPE_CHECKING:
    from simulacra.simulators.trained import TrainedSimulator


@dataclass(frozen=True, slots=True)
class Target:
    """One form of export: the module that defines ``write``, and what the form is."""

    module: str
    summary: str

    def writer(self) -> Callable[[TrainedSimulator, Path, OnProgress], str]:
        """Return the function that writes this form."""
        written = import_module(self.module).write
        return cast("Callable[[TrainedSimulator, Path, OnProgress], str]", written)


TARGETS: dict[str, Target] = {
    "onnx": Target("simulacra.deploy.onnx", "one file with the whole chain, for ONNX Runtime"),
    "lwtnn": Target("simulacra.deploy.lwtnn", "JSON for LWTNN's C++ reader, of dense models"),
    "par04": Target("simulacra.deploy.par04", "ONNX as Geant4's example Par04 loads it"),
    "fastcalosim": Target(
        "simulacra.deploy.fastcalosim", "ONNX and HDF5 as FastCaloSim's binned showers load them"
    ),
}


def export(
    simulator: TrainedSimulator, target: str, path: str | Path, on_progress: OnProgress = silent
) -> str:
    """Write a trained simulator in a form that works outside of this package.

    Args:
        simulator: what to write.
        target: one of :data:`TARGETS`.
        path: the file or folder, which appears whole or not at all.
        on_progress: called with (phase, done, total).

    Returns:
        What was written, in a few words.

    Raises:
        ExportError: there is no such form, or the model cannot be written in it.
        MissingDependencyError: a package of the extra ``onnx`` is not installed.
    """
    if target not in TARGETS:
        msg = f"no export to {target!r}; there are {', '.join(TARGETS)}"
        raise ExportError(msg)
    return TARGETS[target].writer()(simulator, Path(path), on_progress)


__all__ = ["TARGETS", "Target", "export"]
