"""The dense network: what it sees of cells that are rarely hit."""

import numpy as np
import pytest

from simulacra.validation.classifiers import mlp
from simulacra.validation.classifiers.auc import auc
from simulacra.validation.classifiers.mlp import LINEAR, MlpOptions, compressed, mlp_scores

OPTIONS = MlpOptions((64, 64), 1e-3, 256, 12)


def sparse(factor, n=5000, cells=100, occupancy=0.005, seed=1):
    """Cells that one event in 200 hits, with ``factor`` times the energy in generated events."""
    rng = np.random.default_rng(seed)
    generated = np.arange(2 * n) % 2 == 1
    hit = rng.random((2 * n, cells)) < occupancy
    energy = rng.exponential(size=(2 * n, cells)) * np.where(generated, factor, 1.0)[:, None]
    return (hit * energy).astype(np.float32), generated


def found(x, generated):
    rows = [slice(0, 5000), slice(5000, 6500), slice(6500, None)]
    train, tune, test = ((x[r], generated[r]) for r in rows)
    return auc(mlp_scores(train, tune, test[0], OPTIONS, 0), test[1])


@pytest.mark.slow
def test_energies_of_rare_cells_are_seen(monkeypatch):
    sample = sparse(3.0)
    seen = found(*sample)
    monkeypatch.setattr(mlp, "compressed", lambda x: x)
    unlimited = found(*sample)
    monkeypatch.setattr(mlp, "compressed", lambda x: np.clip(x, -LINEAR, LINEAR))
    cut = found(*sample)
    assert seen.value > unlimited.value - 0.01
    assert seen.value > cut.value + 0.02


def test_equal_samples_are_not_told_apart():
    score = found(*sparse(1.0, seed=2))
    assert abs(score.value - 0.5) < 3 * score.error


def test_compression_is_linear_and_then_logarithmic():
    x = np.array([0.0, -3.0, LINEAR, -LINEAR * np.e, 1e6], np.float32)
    expected = [0.0, -3.0, LINEAR, -2 * LINEAR, LINEAR * (1 + np.log(1e5))]
    assert compressed(x) == pytest.approx(expected, rel=1e-6)
    assert compressed(x).dtype == np.float32
