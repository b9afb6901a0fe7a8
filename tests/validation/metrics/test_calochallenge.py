"""CaloChallenge's scores beside an independent, slow rendering of the published procedure."""

import math

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.errors import DetectorError, SimulacraError
from simulacra.events import Events
from simulacra.validation.metrics.calochallenge import legacy_scores, official_separation
from tests.calochallenge import RADII, layout, showers_like
from tests.conftest import random_events


def slow_histogram(values, edges):
    """Share of those values that lie inside; right-open bins, the last one closed."""
    counts = [0] * (len(edges) - 1)
    for value in values:
        for i in range(len(counts)):
            last = i == len(counts) - 1
            if edges[i] <= value and (value < edges[i + 1] or (last and value == edges[-1])):
                counts[i] += 1
                break
    inside = sum(counts)
    return [count / inside for count in counts] if inside else None


def slow_score(first, second, edges):
    p, q = slow_histogram(first, edges), slow_histogram(second, edges)
    if p is None or q is None:
        return math.nan
    return sum((a - b) ** 2 / (a + b + 1e-16) for a, b in zip(p, q, strict=True)) / 2


class Slow:
    """The published features of one sample, from the published radii alone."""

    def __init__(self, events, dataset, threshold):
        showers = np.asarray(events["showers"], float)
        self.showers = np.where(showers < threshold, 0.0, showers)
        self.response = self.showers.sum(-1) / events.conditions["energy"]
        self.incident = events.conditions["energy"]
        self.layers, start = {}, 0
        for number, (edges, sectors) in RADII[dataset].items():
            rings = len(edges) - 1
            cells = self.showers[:, start : start + rings * sectors]
            start += rings * sectors
            radius = np.array(
                [(edges[k % rings] + edges[k % rings + 1]) * 0.5 for k in range(rings * sectors)]
            )
            angles = np.linspace(-math.pi, math.pi, sectors + 1)
            angle = np.array(
                [(angles[k // rings] + angles[k // rings + 1]) / 2 for k in range(rings * sectors)]
            )
            layer = {"energy": cells.sum(-1), "sparsity": 1.0 - (cells > 0).mean(-1)}
            layer["ec_r"], layer["width_r"] = self.moments(cells, radius)
            if sectors > 1:
                for name, x in (("eta", radius * np.cos(angle)), ("phi", radius * np.sin(angle))):
                    layer[f"ec_{name}"], layer[f"width_{name}"] = self.moments(cells, x)
            self.layers[number] = layer

    @staticmethod
    def moments(cells, x):
        energy = cells.sum(-1) + 1e-16
        mean = (x * cells).sum(-1) / energy
        return mean, np.sqrt(((x * x * cells).sum(-1) / energy - mean**2).clip(min=0))


def slow_scores(reference, generated, dataset):
    first = dataset[0] == "1"
    threshold = 1.0 if first else 0.5e-3 / 0.033
    full, fast = (Slow(events, dataset, threshold) for events in (reference, generated))
    scores = {"response": slow_score(full.response, fast.response, np.linspace(0.5, 1.5, 101))}
    voxels = np.logspace(np.log10(threshold), np.log10(full.showers.max()), 50)
    parts = [sample.showers[sample.showers > 0] for sample in (full, fast)]
    counts = [np.histogram(part, voxels)[0] / np.histogram(part, voxels)[0].sum() for part in parts]
    scores["voxel_energy"] = 0.5 * np.sum((counts[0] - counts[1]) ** 2 / (sum(counts) + 1e-16))
    if first:
        for i, energy in enumerate(2 ** np.linspace(8, 22, 15)):
            bins = (
                np.linspace(0.9, 1.1, 21)
                if i > 3 and dataset == "1-photons"
                else np.linspace(0.4, 1.4, 21)
            )
            scores[f"response at {energy:.0f} MeV"] = slow_score(
                *(s.response[s.incident == energy] for s in (full, fast)), bins
            )
    for number, layer in full.layers.items():
        far = first and number in (12, 13)
        limit = 500 if far else 100 if first else 30
        edges = {
            "energy": np.logspace(np.log10(threshold), np.log10(layer["energy"].max()), 40),
            "sparsity": np.linspace(0, 1, 21),
            "ec_eta": np.linspace(-limit, limit, 101),
            "width_eta": np.linspace(0, 400 if far else limit, 101),
            "ec_r": np.linspace(0, (1500 if number > 11 else 500) if first else 42, 101),
            "width_r": np.linspace(0, (1500 if number > 11 else 500) if first else 20, 101),
        }
        edges |= {"ec_phi": edges["ec_eta"], "width_phi": edges["width_eta"]}
        for name, values in layer.items():
            other = fast.layers[number][name]
            scores[f"{name}.layer_{number}"] = slow_score(values, other, edges[name])
    return scores


@pytest.mark.parametrize(("dataset", "n"), [("1-photons", 150), ("1-pions", 150), ("2", 25)])
def test_scores_are_the_published_ones(dataset, n):
    reference = showers_like(dataset, n)
    generated = showers_like(dataset, n + 10, seed=1, stretch=1.2)
    found = legacy_scores(reference, generated, dataset).separations
    expected = slow_scores(reference, generated, dataset)
    expected = {name: value for name, value in expected.items() if name in found}
    assert len(found) == len(expected)
    for name, value in found.items():
        assert value == pytest.approx(expected[name], rel=1e-6, abs=1e-15, nan_ok=True), name
    assert max(value for value in found.values() if not math.isnan(value)) > 0.1


def test_random_showers_in_a_published_layout():
    detector, rng = layout("1-photons"), np.random.default_rng(0)
    samples = []
    for _ in range(2):
        showers = rng.exponential(5, (80, detector.n_cells))
        conditions = Conditions({"energy": 2.0 ** rng.integers(8, 23, 80)})
        samples.append(Events(conditions, {"showers": showers.astype(np.float32)}, detector))
    found = legacy_scores(*samples, "1-photons").separations
    expected = slow_scores(*samples, "1-photons")
    for name, value in found.items():
        assert value == pytest.approx(expected[name], rel=1e-6, abs=1e-15, nan_ok=True), name


def test_the_official_score_does_not_see_what_escapes():
    values = np.random.default_rng(0).normal(size=4000)
    edges = np.linspace(-2, 2, 21)
    escaped = np.concatenate([values[:2000], np.full(2000, 1e6)])
    assert official_separation(values[:2000], escaped, edges) == 0


def test_a_sample_against_itself_scores_zero():
    events = showers_like("1-pions", 60)
    scores = legacy_scores(events, events, "1-pions").separations
    assert {value for value in scores.values() if not math.isnan(value)} == {0.0}


def test_energies_are_named_in_full():
    events = showers_like("1-photons", 300)  # a point would begin the name of a layer
    named = [n for n in legacy_scores(events, events, "1-photons").separations if " at " in n]
    assert named == [f"response at {2**power} MeV" for power in range(8, 23)]


def test_every_name_of_ours_is_an_observable():
    from simulacra.observables import observables_of

    events = showers_like("1-photons", 5)
    ours = set(legacy_scores(events, events, "1-photons").ours.values())
    assert ours <= {o.name for o in observables_of(events.detector)}


def test_what_cannot_be_scored_is_said(barrel):
    events = random_events(barrel, 4)
    with pytest.raises(DetectorError, match="polar"):
        legacy_scores(events, events, "2")
    with pytest.raises(SimulacraError, match="1-photons"):
        legacy_scores(events, events, "4")
