"""The classifier two-sample test: can a classifier tell generated events from the reference?

Two kinds, because they see different things: networks see smooth differences of many cells, trees
see exact zeros, thresholds and single sharp features. The worse result is the one that counts.

References:
    D. Lopez-Paz, M. Oquab (2017), arXiv:1610.06545;
    C. Krause, D. Shih (2021), arXiv:2106.05285 (for showers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray, IntArray
from simulacra.validation.classifiers.auc import auc, calibrated, divergence
from simulacra.validation.classifiers.mlp import MlpOptions, Rows, mlp_scores
from simulacra.validation.classifiers.split import Split
from simulacra.validation.classifiers.table import Table
from simulacra.validation.metrics.record import UNDEFINED, Estimate

FEWEST = 20
"""Events to learn from, tune on or judge by, below which a test says nothing and is left out."""


@dataclass(frozen=True, slots=True)
class ClassifierOptions:
    """How thoroughly the classifiers are trained.

    Attributes:
        parts: parts of the events to learn from and to tune on; the rest is to be judged by.
        trees: most iterations of gradient boosting.
        mlp: the network.
    """

    parts: tuple[float, float]
    trees: int
    mlp: MlpOptions


@dataclass(frozen=True, slots=True)
class ClassifierScore:
    """What a classifier says of the events that it never saw.

    Attributes:
        auc: area under the ROC curve, 0.5 where it finds no difference; below by chance.
        jsd: Jensen-Shannon divergence in bits of its calibrated probabilities.
        energies: the AUC of the same classifier among the events of one energy.
        n: how many events of either sample it was judged by.
    """

    auc: Estimate
    jsd: Estimate
    energies: Mapping[str, Estimate]
    n: int


Classifier = Callable[[Rows, Rows, NDArray[np.float32], ClassifierOptions, int], FloatArray]
"""Training rows, held-out rows, features of others, options, seed -> scores of the others."""


def _trees(
    train: Rows,
    _: Rows,
    others: NDArray[np.float32],
    options: ClassifierOptions,
    seed: int,
) -> FloatArray:
    """Boost trees; a tenth of the training events is kept back to know when to stop."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=options.trees, early_stopping=True, random_state=seed
    )
    scores: FloatArray = model.fit(*train).decision_function(others)
    return scores


def _mlp(
    train: Rows,
    held_out: Rows,
    others: NDArray[np.float32],
    options: ClassifierOptions,
    seed: int,
) -> FloatArray:
    return mlp_scores(train, held_out, others, options.mlp, seed)


CLASSIFIERS: Mapping[str, Classifier] = MappingProxyType({"trees": _trees, "MLP": _mlp})


def classify(
    classifier: str,
    tables: tuple[Table, Table],
    groups: tuple[IntArray, IntArray],
    labels: Mapping[int, str],
    split: Split,
    options: ClassifierOptions,
    seed: int,
) -> ClassifierScore | None:
    """Train a classifier and judge the samples by it; None where there are too few events.

    One split and no folds: scores of folds that share their training events are correlated, and
    the error of their AUC would be too small by up to a factor sqrt(2).

    Args:
        classifier: a name of :data:`CLASSIFIERS`.
        tables: features of the reference (n, f) and of the generated events (m, f).
        groups: the energy group of each event.
        labels: what a group is called.
        split: rows of both, joined.
        options: how thoroughly to train.
        seed: what the training draws from.
    """
    if min(len(split.train), len(split.held_out), len(split.test)) < 2 * FEWEST:
        return None
    x = np.concatenate(tables)
    y = np.arange(len(x)) >= len(tables[0])
    train, held_out = ((x[rows], y[rows]) for rows in (split.train, split.held_out))
    others = np.concatenate([split.held_out, split.test])
    scores = CLASSIFIERS[classifier](train, held_out, x[others], options, seed)
    tuned, judged = np.split(scores, [len(split.held_out)])
    truth, group = y[split.test], np.concatenate(groups)[split.test]
    return ClassifierScore(
        auc=auc(judged, truth),
        jsd=divergence(calibrated(judged, tuned, held_out[1]), truth),
        energies={
            label: auc(judged[group == g], truth[group == g])
            for g, label in labels.items()
            if np.any(group == g)
        },
        n=int(truth.sum()),
    )


def worst_energy(energies: Mapping[str, Estimate]) -> tuple[str, Estimate]:
    """Return the energy whose AUC is highest after two standard errors are taken off.

    So that an energy with a handful of events is not the worst by chance.
    """
    known = {k: e for k, e in energies.items() if np.isfinite(e.value) and np.isfinite(e.error)}
    if not known:
        return "", Estimate(UNDEFINED)
    label = max(known, key=lambda k: known[k].value - 2 * known[k].error)
    return label, known[label]
