"""Where a calorimeter's particles come from: places and angles as values, ranges or spreads."""

from __future__ import annotations

import math
from typing import Annotated, Any, Generic, Self, TypeVar

import numpy as np
from pydantic import BeforeValidator, model_validator

from simulacra.arrays import FloatArray
from simulacra.detectors.base import Frozen
from simulacra.units import Angle, Length

CUT = 4.0
"""Spreads from the mean at which a Gaussian is cut off: one value in 16 000 lies beyond."""
TURN = 2 * math.pi

Number = TypeVar("Number")


class Spread(Frozen, Generic[Number]):
    """A Gaussian of ``mean`` and standard deviation ``spread``, cut off at ``CUT`` spreads."""

    mean: Number
    spread: Number


def _pair(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return one value as a range of that value alone."""
    return (value, value) if isinstance(value, int | float | str) else value


LengthLaw = Annotated[tuple[Length, Length] | Spread[Length], BeforeValidator(_pair)]
AngleLaw = Annotated[tuple[Angle, Angle] | Spread[Angle], BeforeValidator(_pair)]
"""How a place (mm) or an angle (rad) is distributed: a value, a uniform range, or a Gaussian."""
Law = tuple[float, float] | Spread[float]


def limits(law: Law) -> tuple[float, float]:
    """Return the lowest and the highest value."""
    if isinstance(law, Spread):
        return law.mean - CUT * law.spread, law.mean + CUT * law.spread
    return law


def varies(law: Law) -> bool:
    """Return whether there is more than one value."""
    low, high = limits(law)
    return low < high


def drawn(law: Law, n: int, rng: np.random.Generator) -> FloatArray:
    """Return ``n`` values."""
    if not isinstance(law, Spread):
        return rng.uniform(*law, n)
    from scipy.special import ndtr, ndtri  # slow to import, and few beams need it

    values: FloatArray = law.mean + law.spread * ndtri(rng.uniform(ndtr(-CUT), ndtr(CUT), n))
    return values


class Beam(Frozen):
    """How particles come in. Where they enter and where they fly to are drawn independently.

    Each of ``x``, ``y``, ``theta`` and ``phi`` is a value, a range ``[low, high]`` that is drawn
    uniformly, or a Gaussian ``{mean: …, spread: …}``.

    Attributes:
        x, y: where their line crosses the front of the stack, mm.
        z: the plane in which they start, mm.
        theta: angle between their direction and the depth axis, rad. Without ``phi`` it lies in the
            x-z plane and is positive towards +x. Where it varies, it is the condition ``theta``.
        phi: azimuth of the direction, rad from +x towards +y; ``theta`` is then not negative. Where
            it varies, it is the condition ``phi``.
    """

    x: LengthLaw = (0.0, 0.0)
    y: LengthLaw = (0.0, 0.0)
    z: Length = -1.0
    theta: AngleLaw = (0.0, 0.0)
    phi: AngleLaw = (0.0, 0.0)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for name in ("x", "y", "phi"):
            low, high = limits(getattr(self, name))
            if low > high:
                msg = f"{name} goes from the lower to the higher value"
                raise ValueError(msg)
        low, high = limits(self.theta)
        if not -math.pi / 2 < low <= high < math.pi / 2:
            msg = "theta goes from the lower to the higher angle, both within ±90 deg"
            raise ValueError(msg)
        low_phi, high_phi = limits(self.phi)
        if high_phi - low_phi > TURN * (1 + 1e-9):
            msg = "phi spans more than a whole turn"
            raise ValueError(msg)
        if low < 0 and (low_phi, high_phi) != (0.0, 0.0):
            msg = "with phi, theta is the angle to the depth axis and not negative"
            raise ValueError(msg)
        return self

    @property
    def is_straight(self) -> bool:
        """Whether all particles fly along the depth axis."""
        return limits(self.theta) == (0.0, 0.0)
