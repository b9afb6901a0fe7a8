"""Speed and quality side by side: any list of simulators, and Geant4, on one core in one run.

Importing this package loads nothing heavy: the processes that are timed import a part of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulacra.benchmark.report import write_benchmark
    from simulacra.benchmark.run import BenchmarkSettings, benchmark

_MODULES = {"BenchmarkSettings": "run", "benchmark": "run", "write_benchmark": "report"}

__all__ = ["BenchmarkSettings", "benchmark", "write_benchmark"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module holds
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
