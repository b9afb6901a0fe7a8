"""The memory that there is and that this process has had; asking costs none."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from simulacra.errors import SimulacraError

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


def memory() -> int:
    """Return the machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def require_room(size: int, what: str) -> None:
    """Refuse what would need more than half of the memory, before it is taken.

    Asking the system for too much is no test, since it promises memory that it does not have.

    Args:
        size: bytes.
        what: needs them, for the message.

    Raises:
        SimulacraError: they are too many.
    """
    if size > memory() / 2:
        msg = (
            f"{what} would need {size / 1e9:.3g} GB, this machine has {memory() / 1e9:.3g} GB and "
            "half of them is the limit"
        )
        raise SimulacraError(msg)
