"""ALICE's table on our chain: distance from the helix, charge, classifiers and time, by system.

    python table.py test.h5 progan cvae helix-flow -o results/table

Every simulator answers the conditions of the first tracks of ``test.h5``, which none has seen. As
many further tracks of the same file stand for full simulation beside itself; ``random`` are
uniform points in the drift volume, one for each row, with charges of other tracks. All times are
CPU times of one thread in this run, so that other load counts less: the network from conditions to
clusters, the median of some calls, and the chain, Geant4 with the digitiser.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from simulacra.benchmark.timing import one_core
from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.events import Events
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool
from simulacra.io import read_events
from simulacra.simulators.trained import TrainedSimulator
from simulacra.validation import measured, validate

SEED = 1
BATCHES = (1, 1000)
CALLS = 25
"""Calls that are timed, of each batch."""
SPECTRUM = "100MeV..10GeV"
COLUMNS = (
    "RMSE fitted, median",
    "MSE fitted, mean",
    "RMSE true, median",
    "MSE true, mean",
    "S charge",
    "S dE/dx",
    "AUC clusters",
    "AUC high-level",
    "ms at 1",
    "ms at 1000",
    "speed-up",
)


def random_tracks(events: Events) -> Events:
    """Return tracks of uniform points in the drift volume, with charges of other tracks."""
    rng = np.random.default_rng(SEED)
    shape, chamber = events["cluster_mask"].shape, events.detector
    inner, outer = chamber.row_radii[[0, -1]]
    radius = np.sqrt(rng.uniform(inner**2, outer**2, shape))
    phi = rng.uniform(-np.pi, np.pi, shape)
    z = rng.uniform(-chamber.drift_length, chamber.drift_length, shape)
    charge = events["clusters"][rng.permutation(len(events))][..., 3:]
    mask = (charge[..., 0] > 0).astype(np.uint8)
    points = np.stack([radius * np.cos(phi), radius * np.sin(phi), z], axis=-1)
    clusters = np.concatenate([points, charge], axis=-1) * mask[..., None]
    response = {"clusters": clusters.astype(np.float32), "cluster_mask": mask}
    return Events(events.conditions, response, chamber)


def distances(events: Events) -> dict[str, float]:
    """Return mean and median distances from the fitted and from the true helix."""
    values = measured(events).values
    found = {}
    for kind in ("fitted", "true"):
        rmse = values[f"rmse_{kind}"]
        rmse = rmse[np.isfinite(rmse)]
        found |= {
            f"RMSE {kind}, median": float(np.median(rmse)),
            f"RMSE {kind}, mean": float(rmse.mean()),
            f"MSE {kind}, median": float(np.median(rmse**2)),
            f"MSE {kind}, mean": float((rmse**2).mean()),
        }
    return found | {"without a fit": float(np.mean(~np.isfinite(values["rmse_fitted"])))}


def judge(reference: Events, generated: Events) -> dict[str, object]:
    """Return separations and AUCs of generated tracks, each the worse of trees and a network."""
    result = validate(reference, generated, profile="quick")
    assert result.pooled is not None
    assert result.samples is not None
    comparisons = result.pooled.comparisons
    charges = [c for name, c in comparisons.items() if name.startswith("charge.")]
    found: dict[str, object] = {
        "S charge": max(c.metrics["separation"].value for c in charges),
        "S dE/dx": comparisons["dedx"].metrics["separation"].value,
    }
    for features in {a.features for a in result.samples.classifier_tests}:
        both = [a for a in result.samples.classifier_tests if a.features == features]
        worse = max(both, key=lambda a: a.auc.value)
        found[f"AUC {features}"] = worse.auc.value
        found[f"AUC {features}, error"] = worse.auc.error
        if worse.baseline_auc is not None:
            found[f"AUC {features}, floor"] = worse.baseline_auc.estimate.value
    return found


def milliseconds(simulator: TrainedSimulator, events: Events) -> dict[str, float]:
    """Return the CPU time per track of the network, from conditions to clusters, by batch."""
    surrogate, found = simulator.surrogate, {}
    for batch in BATCHES:
        columns = surrogate.columns(events.conditions.take(slice(batch)))
        noise = torch.randn(surrogate.model.noise_shape(batch), generator=torch.Generator())
        with torch.inference_mode():
            found[f"ms at {batch}"] = cpu_ms(lambda: surrogate(columns, noise)) / batch  # noqa: B023
    return found


def cpu_ms(call: Callable[[], object]) -> float:
    """Return the median CPU time of a call in ms."""
    call()  # the first call pays for what is only set up once
    times = []
    for _ in range(CALLS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times) * 1000


def chain_ms(events: Events, n: int) -> tuple[float, str]:
    """Return the CPU time of the chain per track, after Geant4 is set up, and its settings."""
    settings = Geant4Settings()
    spectrum, rng = EnergySpectrum.parse(SPECTRUM), np.random.default_rng(SEED)
    with WorkerPool(1) as pool:
        simulator = Geant4Simulator(events.detector, settings, executor=pool)
        simulator.simulate(draw_conditions(events.detector, spectrum, 10, rng), SEED)
        rows = draw_conditions(events.detector, spectrum, n, rng)
        start = pool.submit(time.process_time).result()  # of the only worker, which holds Geant4
        facts = simulator.simulate(rows, SEED).provenance
        words = f"Geant4 {facts['geant4']}, {facts['physics']}, cut {facts['cut_mm']:g} mm"
        spent = pool.submit(time.process_time).result() - start
        return spent / n * 1000, words


def line(name: str, found: dict[str, object]) -> str:
    """Return one row of the table."""
    cells = [f"{found[c]:.3g}" if c in found else "–" for c in COLUMNS]
    return "| " + " | ".join([name, *cells]) + " |"


def main() -> None:
    """Judge and time everything, and write a table and all numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test", type=Path)
    parser.add_argument("simulators", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    parser.add_argument("--tracks", type=int, default=4000)
    parser.add_argument("--chain", type=int, default=500, help="tracks that time the chain")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    n = arguments.tracks
    test = read_events(arguments.test)
    reference, again = test.take(slice(n)), test.take(slice(n, 2 * n))
    with one_core():
        chain, words = chain_ms(reference, arguments.chain)
        table: dict[str, dict[str, object]] = {
            f"full simulation ({words})": {
                **distances(again),
                **judge(reference, again),
                "ms at 1": chain,
                "speed-up": 1.0,
            },
            "random": distances(random_tracks(reference)),
        }
        for folder in arguments.simulators:
            simulator = TrainedSimulator.load(folder)
            generated = simulator.simulate(reference.conditions, SEED)
            times = milliseconds(simulator, reference)
            table[folder.name] = {
                **distances(generated),
                **judge(reference, generated),
                **times,
                "speed-up": chain / times["ms at 1000"],
                "training": dict(simulator.about),
            }
            _write(table, arguments.output)
    _write(table, arguments.output)


def _write(table: dict[str, dict[str, object]], output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    lines += [line(name, found) for name, found in table.items()]
    output.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    output.with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
