"""Summaries of the primary observable: mean and width, or for long tails median and σ_eff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from simulacra.validation.metrics.moments import Moments
from simulacra.validation.metrics.record import Estimate

SummaryName = Literal["moments", "quantiles"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Two numbers of a distribution.

    Attributes:
        words: what they are called.
        keys: their names in files.
        fields: which of the moments they are.
    """

    words: tuple[str, str]
    keys: tuple[str, str]
    fields: tuple[str, str]

    @property
    def metrics(self) -> tuple[str, str]:
        """Names of the metrics that are the ratios of both."""
        return f"{self.keys[0]}_ratio", f"{self.keys[1]}_ratio"

    def centre(self, moments: Moments) -> Estimate:
        """Return the first of them."""
        estimate: Estimate = getattr(moments, self.fields[0])
        return estimate

    def width(self, moments: Moments) -> Estimate:
        """Return the second."""
        estimate: Estimate = getattr(moments, self.fields[1])
        return estimate


SUMMARIES: Mapping[SummaryName, Summary] = MappingProxyType(
    {
        "moments": Summary(("mean", "width"), ("mean", "width"), ("mean", "std")),
        "quantiles": Summary(("median", "σ_eff"), ("median", "sigma_eff"), ("median", "sigma_eff")),
    }
)
