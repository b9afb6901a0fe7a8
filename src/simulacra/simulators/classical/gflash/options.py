"""The free constants of GFlash: all of them leave the published formulas as they are by default."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulacra.detectors.base import Frozen

REFERENCE_ENERGY = 10_000.0
"""MeV at which the power of the visible energy is 1."""
Factor = Annotated[float, Field(gt=0)]


class GFlashOptions(Frozen):
    """What is fitted to full simulation; the defaults are the published formulas.

    Attributes:
        depth: added to ⟨ln T⟩.
        shape: added to ⟨ln α⟩.
        fluctuation: factor of σ(ln T) and σ(ln α).
        core, tail: factors of the radii of the two radial components.
        stochastic: relative width of the energy of sampling media at 1 GeV (σ/E = this / √E);
            None: 2.7 % √(active mm / sampling fraction).
        response: factor of the visible energy, by section; 1 for others.
        slope: the visible energy is also multiplied by (E / 10 GeV) to this power.
    """

    depth: float = 0.0
    shape: float = 0.0
    fluctuation: Factor = 1.0
    core: Factor = 1.0
    tail: Factor = 1.0
    stochastic: Annotated[float, Field(ge=0)] | None = None
    response: dict[str, Factor] = Field(default_factory=dict)
    slope: float = 0.0
