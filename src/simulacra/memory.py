"""How much memory this process has had; a module of its own, so that asking costs none."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

KB_PER_MB = 1024
PROCESS_STATUS = Path("/proc/self/status")


def peak_memory_mb() -> float:
    """Return the largest resident memory that this process has had, MB.

    Linux keeps it with the memory itself. What ``getrusage`` says there may be the parent's, whose
    memory a process shares until it starts its own program.
    """
    if PROCESS_STATUS.is_file():
        for line in PROCESS_STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / KB_PER_MB
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / KB_PER_MB / (KB_PER_MB if sys.platform == "darwin" else 1)
