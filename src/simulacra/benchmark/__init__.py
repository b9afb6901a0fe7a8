"""Speed and quality side by side: any list of simulators, and Geant4, on one core in one run.

Importing this package loads nothing heavy: the processes that are timed import a part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulacra.faces.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    {"report": ("write_benchmark",), "run": ("BenchmarkSettings", "benchmark")},
)

if TYPE_CHECKING:
    from simulacra.benchmark.report import write_benchmark as write_benchmark
    from simulacra.benchmark.run import BenchmarkSettings as BenchmarkSettings
    from simulacra.benchmark.run import benchmark as benchmark
