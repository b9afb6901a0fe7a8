"""Validation: how far generated events are from full simulation, as numbers, plots and a report.

Importing this package loads no plotting library; :meth:`Validation.plot` and :meth:`.report` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulacra.faces.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    {
        "compare": ("require_comparable", "validate"),
        "metrics.calochallenge": ("legacy_scores",),
        "result": ("Comparison", "GroupResult", "Validation", "summary_rows"),
        "sample": ("Sample", "measured"),
        "sample_result": ("SampleComparison", "sample_rows"),
        "side_by_side": ("SideBySide", "validate_side_by_side"),
        "thresholded": ("Thresholded",),
        "thresholds": ("Thresholds", "apply_thresholds", "require_classifiers"),
    },
)

if TYPE_CHECKING:
    from simulacra.validation.compare import require_comparable as require_comparable
    from simulacra.validation.compare import validate as validate
    from simulacra.validation.metrics.calochallenge import legacy_scores as legacy_scores
    from simulacra.validation.result import Comparison as Comparison
    from simulacra.validation.result import GroupResult as GroupResult
    from simulacra.validation.result import Validation as Validation
    from simulacra.validation.result import summary_rows as summary_rows
    from simulacra.validation.sample import Sample as Sample
    from simulacra.validation.sample import measured as measured
    from simulacra.validation.sample_result import SampleComparison as SampleComparison
    from simulacra.validation.sample_result import sample_rows as sample_rows
    from simulacra.validation.side_by_side import SideBySide as SideBySide
    from simulacra.validation.side_by_side import validate_side_by_side as validate_side_by_side
    from simulacra.validation.thresholded import Thresholded as Thresholded
    from simulacra.validation.thresholds import Thresholds as Thresholds
    from simulacra.validation.thresholds import apply_thresholds as apply_thresholds
    from simulacra.validation.thresholds import require_classifiers as require_classifiers
