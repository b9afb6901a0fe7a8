"""Free constants of GFlash from full simulation."""

from __future__ import annotations

from typing import NoReturn

from simulacra.errors import SimulatorError


def tuned(*_: object) -> NoReturn:
    """Refuse: not written yet."""
    msg = "gflash is not fitted to samples yet: give --detector alone"
    raise SimulatorError(msg)
