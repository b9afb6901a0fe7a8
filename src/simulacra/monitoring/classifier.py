"""A classifier between a window and the reference, on deviations from what conditions predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from simulacra.arrays import BoolArray, FloatArray
from simulacra.validation.classifiers.auc import auc

if TYPE_CHECKING:
    from simulacra.monitoring.look import Look

TREES, LEAVES, BINS = 20, 15, 63
MOST_PER_WINDOW = 3
"""Reference events for each event of the window, at most."""


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the ROC curve on events that the classifier did not see, and its error."""

    value: float
    error: float

    @property
    def p_value(self) -> float:
        """Probability of so large an area without a difference."""
        return float(special.ndtr(-(self.value - 0.5) / max(self.error, 1e-9)))


class Classifier:
    """Boosted trees that are trained on half of a window and judged on the other half.

    Args:
        reference: events that the predictions were not fitted to.
        seed: of the split and of the trees.
    """

    def __init__(self, reference: Look, seed: int) -> None:
        self._table = reference.table()
        self._seed = seed

    def auc(self, window: Look) -> Auc:
        """Return how well a classifier tells the window from the reference."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        rng = np.random.default_rng(self._seed)
        own = window.table()
        few = rng.permutation(len(self._table))[: MOST_PER_WINDOW * len(own)]
        x: FloatArray = np.concatenate([self._table[few], own])
        y: BoolArray = np.arange(len(x)) >= len(few)
        order = rng.permutation(len(x))
        half = len(x) // 2
        # Without weights of events: with them, scikit-learn bins each feature by hundreds of
        # weighted quantiles, which takes longer than all trees. The AUC needs no equal classes.
        model = HistGradientBoostingClassifier(
            max_iter=TREES,
            early_stopping=False,
            max_leaf_nodes=LEAVES,
            max_bins=BINS,
            random_state=self._seed,
        )
        train, test = order[:half], order[half:]
        model.fit(x[train], y[train])
        found = auc(model.decision_function(x[test]), y[test])
        return Auc(found.value, found.error)
