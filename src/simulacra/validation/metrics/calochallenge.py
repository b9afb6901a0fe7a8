"""CaloChallenge's separation powers with its own bins, to compare with published tables.

The official evaluation drops what lies outside its bins before it normalises: a generator whose
tails escape the axis scores perfectly, and an axis that no entry lies on gives no score. The
report's own scores count the outside; these are for comparison with others' numbers only.

References:
    C. Krause et al. (2024), CaloChallenge 2022, arXiv:2410.21611; its public evaluation code
    (``evaluate.py``, ``evaluate_plotting_helper.py``) defines bins and limits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Detector
from simulacra.errors import SimulacraError
from simulacra.events import EventSource, pieces, require_same_detector
from simulacra.observables.calorimeter.calochallenge import (
    THRESHOLDS,
    HighLevelFeatures,
    LayerFeatures,
    emptied,
    high_level_features,
    joined_features,
    require_polar,
)
from simulacra.validation.metrics.record import Estimate, Score

Dataset = Literal["1-photons", "1-pions", "2", "3"]
EPSILON = 1e-16
POINTS = 2.0 ** np.arange(8, 24)
"""Energies in MeV between which dataset 1 is scored one by one."""


@dataclass(frozen=True, slots=True)
class LegacyScores:
    """The official separation powers of a dataset's layout.

    Attributes:
        dataset: whose bins and threshold were used.
        separations: by ``quantity`` or ``quantity.layer``; nan where the official code gives no
            number.
        ours: the report's name of the same quantity, for those that it has.
        n: numbers of events, (reference, generated).
    """

    dataset: Dataset
    separations: Mapping[str, float]
    ours: Mapping[str, str]
    n: tuple[int, int]

    @property
    def scores(self) -> dict[str, Score]:
        """Each separation as the record that all metrics are; the official code has no errors."""
        return {
            name: Score("separation", f"CaloChallenge, {name}", name, Estimate(value), None, self.n)
            for name, value in self.separations.items()
        }


def legacy_scores(reference: EventSource, generated: EventSource, dataset: str) -> LegacyScores:
    """Return the official separation powers of generated events from a reference.

    Args:
        reference: events of the full simulation, in polar layers. Layers are numbered by the
            number that ends their name (``layer_12``): dataset 1 has wider axes in 12 to 14.
        generated: events that are judged.
        dataset: whose bins: ``1-photons``, ``1-pions``, ``2`` or ``3``.

    Raises:
        SimulacraError: there is no such dataset, or the layers are not polar.
    """
    require_official(reference.detector, dataset)
    require_same_detector(reference.detector, generated.detector)
    kind: Dataset = dataset  # type: ignore[assignment]
    threshold = THRESHOLDS[kind]
    full, fast = (_features(events, threshold) for events in (reference, generated))
    scores = dict(_of_totals(full, fast, kind))
    scores["voxel_energy"] = _of_voxels(reference, generated, threshold)
    ours = {"response": "response"}
    axes = getattr(reference.detector, "axes", ("x", "y"))
    for name, layer in full.layers.items():
        for quantity, edges in _edges(layer, kind).items():
            first, second = (getattr(f.layers[name], quantity) for f in (full, fast))
            scores[f"{quantity}.{name}"] = official_separation(first, second, edges)
            ours[f"{quantity}.{name}"] = f"{_our_name(quantity, axes)}.{name}"
    return LegacyScores(kind, scores, ours, (len(reference), len(generated)))


def require_official(detector: Detector, dataset: str) -> None:
    """Raise a :class:`SimulacraError` unless there is such a dataset and the layers are polar."""
    if dataset not in THRESHOLDS:
        msg = f"no CaloChallenge dataset {dataset!r}; there are {', '.join(THRESHOLDS)}"
        raise SimulacraError(msg)
    require_polar(detector)


def _features(source: EventSource, threshold: float) -> HighLevelFeatures:
    return joined_features([high_level_features(e, threshold) for _, e in pieces(source)])


def official_separation(first: FloatArray, second: FloatArray, edges: FloatArray | None) -> float:
    """Return 1/2 sum (p - q)^2 / (p + q + 1e-16) of the entries between the edges; nan for none."""
    if edges is None:
        return math.nan
    return _separation(*(np.histogram(values, edges)[0] for values in (first, second)))


def _separation(first: IntArray, second: IntArray) -> float:
    if not first.sum() or not second.sum():
        return math.nan
    p, q = first / first.sum(), second / second.sum()
    return float(0.5 * ((p - q) ** 2 / (p + q + EPSILON)).sum())


def _of_totals(
    full: HighLevelFeatures, fast: HighLevelFeatures, dataset: Dataset
) -> Iterator[tuple[str, float]]:
    """Yield the score of E_tot / E_inc, and for dataset 1 those at its energies."""
    ratios = [f.total / f.incident for f in (full, fast)]
    yield "response", official_separation(ratios[0], ratios[1], np.linspace(0.5, 1.5, 101))
    if not dataset.startswith("1"):
        return
    for i, (low, high) in enumerate(itertools.pairwise(POINTS)):
        first, second = (
            ratio[(f.incident >= low) & (f.incident < high)]
            for ratio, f in zip(ratios, (full, fast), strict=True)
        )
        narrow = dataset == "1-photons" and i > 3
        edges = np.linspace(0.9, 1.1, 21) if narrow else np.linspace(0.4, 1.4, 21)
        if len(first) and len(second):
            yield f"response at {low:.0f} MeV", official_separation(first, second, edges)


def _edges(layer: LayerFeatures, dataset: Dataset) -> dict[str, FloatArray | None]:
    """Return the official edges of each quantity that the layer has; None where there are none."""
    edges: dict[str, FloatArray | None] = {
        "energy": _logarithmic(THRESHOLDS[dataset], float(layer.energy.max(initial=0.0)), 40),
        "sparsity": np.linspace(0, 1, 21),
    }
    first_dataset = dataset.startswith("1")
    deep = first_dataset and layer.number in (12, 13)
    deepest = first_dataset and layer.number in (12, 13, 14)
    limit = 500.0 if deep else 100.0 if first_dataset else 30.0
    if layer.ec_eta is not None:
        edges |= dict.fromkeys(("ec_eta", "ec_phi"), np.linspace(-limit, limit, 101))
        widest = 400.0 if deep else limit
        edges |= dict.fromkeys(("width_eta", "width_phi"), np.linspace(0, widest, 101))
    radius, width = (1500.0, 1500.0) if deepest else (500.0, 500.0) if first_dataset else (42, 20)
    return edges | {"ec_r": np.linspace(0, radius, 101), "width_r": np.linspace(0, width, 101)}


def _logarithmic(low: float, high: float, count: int) -> FloatArray | None:
    # the official expression: rounding decides whether the largest entry is inside
    return np.logspace(np.log10(low), np.log10(high), count) if high > low else None


def _of_voxels(reference: EventSource, generated: EventSource, threshold: float) -> float:
    highest = max(float(events["showers"].max(initial=0.0)) for _, events in pieces(reference))
    edges = _logarithmic(threshold, highest, 50)
    if edges is None:
        return math.nan
    return _separation(
        *(_voxel_counts(events, edges, threshold) for events in (reference, generated))
    )


def _voxel_counts(source: EventSource, edges: FloatArray, threshold: float) -> IntArray:
    """Return how many voxels lie in each bin; what the threshold empties lies in none."""
    counts = np.zeros(len(edges) - 1, np.int64)
    for _, events in pieces(source):
        voxels = emptied(events["showers"], threshold)
        counts += np.histogram(voxels[voxels > 0], edges)[0]
    return counts


def _our_name(quantity: str, axes: tuple[str, str]) -> str:
    names = {"energy": "layer_energy", "ec_r": "centre_r", "width_r": "width_r"}
    for name, axis in zip(("eta", "phi"), axes, strict=True):
        names |= {f"ec_{name}": f"centre_{axis}", f"width_{name}": f"width_{axis}"}
    return names.get(quantity, quantity)
