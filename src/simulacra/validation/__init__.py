"""Validation: how far generated events are from full simulation, as numbers, plots and a report.

Importing this package loads no plotting library; :meth:`Validation.plot` and :meth:`.report` do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulacra.validation.compare import require_comparable, validate
    from simulacra.validation.metrics.calochallenge import legacy_scores
    from simulacra.validation.result import Comparison, GroupResult, Validation, summary_rows
    from simulacra.validation.sample import Sample, measured
    from simulacra.validation.sample_result import SampleComparison, sample_rows
    from simulacra.validation.thresholded import Emptied
    from simulacra.validation.thresholds import Thresholds, apply_thresholds, require_classifiers

_MODULES = {
    "Comparison": "result",
    "Emptied": "thresholded",
    "GroupResult": "result",
    "Sample": "sample",
    "SampleComparison": "sample_result",
    "Validation": "result",
    "sample_rows": "sample_result",
    "Thresholds": "thresholds",
    "apply_thresholds": "thresholds",
    "legacy_scores": "metrics.calochallenge",
    "measured": "sample",
    "require_classifiers": "thresholds",
    "require_comparable": "compare",
    "summary_rows": "result",
    "validate": "compare",
}

__all__ = [
    "Comparison",
    "Emptied",
    "GroupResult",
    "Sample",
    "SampleComparison",
    "Thresholds",
    "Validation",
    "apply_thresholds",
    "legacy_scores",
    "measured",
    "require_classifiers",
    "require_comparable",
    "sample_rows",
    "summary_rows",
    "validate",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module holds
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
