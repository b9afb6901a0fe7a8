"""A training that diverges goes on from its last good state with a lower learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simulacra.errors import SimulatorError
from simulacra.training.journal import Row

RESTARTS = 3
"""Times that a training goes on after it diverged."""
SLOWER = 0.5
"""Factor of all learning rates at each restart."""
EXPLODED = 20.0
"""Factor on the best score so far above which a score is of a training that diverged."""


class DivergedError(SimulatorError):
    """A loss, a gradient or a score shows that a training diverged."""


def require_finite(losses: Mapping[str, float], step: int) -> None:
    """Raise :class:`DivergedError` where a loss term is not finite."""
    if not all(math.isfinite(value) for value in losses.values()):
        values = ", ".join(f"{name} {value:g}" for name, value in losses.items())
        msg = f"training diverged before step {step} ({values})"
        raise DivergedError(msg)


def explosion(score: float, history: Sequence[Row], step: int) -> str | None:
    """Return that a training diverged where a score is far above the best one, or no number."""
    best = min((row["score"] for row in history if math.isfinite(row["score"])), default=math.inf)
    if math.isfinite(best) and not score <= EXPLODED * max(best, 1.0):
        return f"training diverged before step {step} (score {score:.4g}, {best:.4g} was reached)"
    return None


def rate_after(restarts: int) -> float:
    """Return the factor on the learning rates after so many restarts.

    Example:
        >>> rate_after(0), rate_after(2)
        (1.0, 0.25)
    """
    return float(SLOWER**restarts)


def given_up(error: DivergedError) -> SimulatorError:
    """Return the error of a training that diverged after its last restart."""
    msg = (
        f"{error}, after {RESTARTS} restarts with at last {rate_after(RESTARTS):g} of its rate; "
        "lower training.learning_rate"
    )
    return SimulatorError(msg)
