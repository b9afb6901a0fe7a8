"""Monitoring: windows of data against a reference, with calibrated alarms."""

from simulacra.monitoring.channels import KINDS, Channels, Watched, kind_of
from simulacra.monitoring.monitor import Monitor
from simulacra.monitoring.result import Finding, Run, WindowResult

__all__ = [
    "KINDS",
    "Channels",
    "Finding",
    "Monitor",
    "Run",
    "Watched",
    "WindowResult",
    "kind_of",
]
