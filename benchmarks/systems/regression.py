"""The 3D GAN's discriminator as a calorimeter's energy regression, beside plain yardsticks.

    python benchmarks/systems/regression.py gan-3d clic-ecal-train.h5 clic-ecal-points.h5 -o results

The discriminator reads the energy off each Geant4 shower of the points, none of which was trained
on. The means and variances of its batch norms are counted anew on training showers first: those of
the training are of full and of generated showers mixed. The yardsticks see the sums of the layers:
a linear regression of the relative error, and boosted trees.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from torch import nn

from simulacra.arrays import FloatArray
from simulacra.energies import energy_groups
from simulacra.events import Events
from simulacra.io import read_events
from simulacra.models.calorimeter.gan3d.critics import VolumeCritics
from simulacra.simulators.trained import TrainedSimulator

BATCH = 16
COUNTED = 256
"""Training showers that batch norms are counted on."""
PUBLISHED = {"100 GeV": 5, "150 GeV": 13, "200 GeV": 10, "300 GeV": 6, "400 GeV": 10, "500 GeV": 15}
"""Mean |relative error|, %: Vallecorsa for GeantV."""
SEED = 1


class Discriminator:
    """The part of a trained 3D GAN that reads energies off showers."""

    def __init__(self, simulator: TrainedSimulator, train: Events) -> None:
        self.surrogate = simulator.surrogate
        critics = self.surrogate.network.get_submodule("critics")
        assert isinstance(critics, VolumeCritics)
        self.critics = critics.eval()
        self._count(train.take(slice(COUNTED)))

    def _count(self, events: Events) -> None:
        """Count means and variances of the batch norms on full simulation."""
        norms = [m for m in self.critics.modules() if isinstance(m, nn.BatchNorm3d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over the batches
            norm.train()
        self._unscaled(events)
        self.critics.eval()

    def _unscaled(self, events: Events) -> FloatArray:
        columns = self.surrogate.columns(events.conditions)
        showers = torch.from_numpy(events["showers"].astype(np.float32))
        cells = self.surrogate.transform.forward({"showers": showers}, columns)
        with torch.inference_mode():
            parts = [self.critics.regressed_energy(part) for part in cells.split(BATCH)]
        energies: FloatArray = torch.cat(parts).double().numpy()[:, 0]
        return energies

    def __call__(self, events: Events) -> FloatArray:
        """Return energies (n,), MeV."""
        unit = self.surrogate.columns(events.conditions)[:1] / self.surrogate.encoder(
            self.surrogate.columns(events.conditions)[:1]
        )
        return self._unscaled(events) * float(unit)


def layer_sums(events: Events) -> FloatArray:
    """Return the sums of the layers (n, layers), GeV."""
    layers = events.detector.layers
    sums = [events["showers"][:, la.cells].sum(axis=1, dtype=np.float64) for la in layers]
    return np.stack(sums, axis=1) / 1000


def yardsticks(train: Events, points: Events) -> dict[str, FloatArray]:
    """Return energies (n,), MeV, of the points by regressions that are trained on the layers."""
    energy = train.conditions["energy"].astype(np.float64)
    linear = LinearRegression(fit_intercept=False)
    linear.fit(layer_sums(train), energy, sample_weight=energy**-2)
    trees = HistGradientBoostingRegressor(random_state=SEED)
    trees.fit(layer_sums(train), np.log(energy))
    seen = layer_sums(points)
    return {"linear, layer sums": linear.predict(seen), "trees": np.exp(trees.predict(seen))}


def errors(found: FloatArray, events: Events) -> dict[str, list[float]]:
    """Return for each energy the mean |relative error|, its standard error and the bias, %."""
    energy = events.conditions["energy"].astype(np.float64)
    relative = 100 * (found / energy - 1)
    rows = {}
    for group in energy_groups(energy):
        here = relative[group.select(energy)]
        error = np.abs(here)
        deviation = float(error.std(ddof=1)) / np.sqrt(len(here))
        rows[group.label] = [float(error.mean()), float(deviation), float(here.mean())]
    return rows


def table(results: dict[str, dict[str, list[float]]]) -> str:
    """Return the Markdown table: one line for each energy."""
    lines = [
        "| energy | GeantV | " + " | ".join(f"{name} (bias)" for name in results) + " |",
        "|" + "---|" * (2 + len(results)),
    ]
    for label in next(iter(results.values())):
        published = PUBLISHED.get(label, "–")
        cells = ["{:.1f} ± {:.1f} ({:+.1f})".format(*rows[label]) for rows in results.values()]
        lines.append(f"| {label} | {published} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compare and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("simulator", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("points", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    train, points = read_events(arguments.train), read_events(arguments.points)
    read = Discriminator(TrainedSimulator.load(arguments.simulator), train)
    found = {"discriminator": read(points), **yardsticks(train, points)}
    results = {name: errors(energies, points) for name, energies in found.items()}
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "regression.md").write_text(table(results), encoding="utf-8")
    (arguments.output / "regression.json").write_text(
        json.dumps(results, indent=2) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
