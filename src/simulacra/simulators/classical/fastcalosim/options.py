"""The options of the parametrisation; the defaults are FastCaloSim's own where it has them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulacra.detectors.base import Frozen

Number = Annotated[int, Field(ge=1, le=1000)]


class FastCaloSimOptions(Frozen):
    """How the sample is parametrised.

    Attributes:
        per_decade: bins of energy in a factor of ten, where the sample's energies are no points.
        theta: bins of the angle of incidence, where it is a condition.
        pca_bins: bins of the first principal component of a bin of energy.
        fewest: showers in such a bin; with fewer there are fewer bins, down to one.
        relevant: mean share of the energy below which a layer gets none.
        alpha: sectors of the lateral histograms around the particle.
        rings: rings of the lateral histograms; polar layers have their own.
        stochastic: σ/E of the number of hits is this / √(E/GeV) ⊕ constant, as 0.101 for liquid
            argon in ATLAS; None: the lateral fluctuations of the sample's cells decide.
        constant: see ``stochastic``.
        most_hits: hits of a layer at most.
    """

    per_decade: Number = 10
    theta: Number = 4
    pca_bins: Number = 5
    fewest: Annotated[int, Field(ge=2)] = 100
    relevant: Annotated[float, Field(ge=0, lt=1)] = 0.001
    alpha: Number = 8
    rings: Annotated[int, Field(ge=2, le=1000)] = 20
    stochastic: Annotated[float, Field(gt=0)] | None = None
    constant: Annotated[float, Field(ge=0)] = 0.002
    most_hits: Annotated[int, Field(ge=1)] = 20_000
