"""Speed and quality side by side: any list of simulators, and Geant4, on one core in one run."""

from __future__ import annotations

from simulacra.benchmark.report import write_benchmark
from simulacra.benchmark.run import BenchmarkSettings, benchmark

__all__ = ["BenchmarkSettings", "benchmark", "write_benchmark"]
