"""FastCaloSim against Geant4 on atlas-barrel. Writes results/fastcalosim.{json,md}.

    simulacra build fastcalosim --sample sample:train -o fastcalosim
    python benchmarks/classical/fastcalosim.py fastcalosim

``sample:train`` builds it, ``sample:test`` judges it; 25 GeV is in the latter only. The baseline is
Geant4 against Geant4 at the sizes of the samples.
"""

from __future__ import annotations

import argparse
import json
import resource
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from timing import cpu_ms

import simulacra as sim
from simulacra.conditions import Conditions
from simulacra.events import Events
from simulacra.simulators.protocol import Simulator
from simulacra.validation.metrics.baseline import baseline_of
from simulacra.validation.metrics.correlation import correlations_of
from simulacra.validation.metrics.moments import moments
from simulacra.validation.metrics.separation import separation_power

HERE = Path(__file__).parent
SEED = 1
MORE = 10
"""Generated showers for each of Geant4, where means and widths are compared."""
BATCHES = (100, 10_000)
ENERGY = 10_000.0
Numbers = np.ndarray[Any, Any]


def layers(events: Events) -> Numbers:
    """Return the energies of the layers (n, l), MeV."""
    cells = [layer.cells for layer in events.detector.layers]
    found: Numbers = np.stack([events["showers"][:, c].sum(axis=1, dtype=float) for c in cells], 1)
    return found


def at(events: Events, energy: float) -> Events:
    """Return the events of an energy."""
    return events[events["energy"] == np.float32(energy)]


def summary(events: Events) -> Numbers:
    """Return mean, standard deviation and σ_eff of the response, and their errors (2, 3)."""
    found = moments(layers(events).sum(axis=1) / events["energy"])
    estimates = (found.mean, found.std, found.sigma_eff)
    return np.array([[e.value for e in estimates], [e.error for e in estimates]])


def responses(simulator: Simulator, train: Events, test: Events) -> list[dict[str, Any]]:
    """Return mean, width and σ_eff of the response over Geant4's, energy by energy.

    The errors are those of both samples of Geant4: that of training is in the parametrisation.
    """
    rows = []
    for energy in np.unique(test["energy"]).tolist():
        full, learned = at(test, energy), at(train, energy)
        conditions = full.conditions.take(np.arange(MORE * len(full)) % len(full))
        ours, theirs = (summary(e) for e in (simulator.simulate(conditions, SEED), full))
        relative = theirs[1] / theirs[0]
        row = {"GeV": energy / 1000, "n": len(full), "n_train": len(learned)}
        if len(learned):
            others = summary(learned)
            relative = np.hypot(relative, others[1] / others[0])
            row["geant4"] = (others[0] / theirs[0]).tolist()
        ratio = ours[0] / theirs[0]
        rows.append(row | {"ratio": ratio.tolist(), "error": (ratio * relative).tolist()})
    return rows


def shapes(simulator: Simulator, train: Events, test: Events) -> list[dict[str, Any]]:
    """Return scores of layer fractions over the baseline, and of their correlations.

    Separation powers over the expected one of two samples of Geant4 of these sizes; root mean
    square differences of correlation coefficients over those by chance. The same for Geant4 itself,
    ``sample:train``.
    """
    names = [layer.name for layer in test.detector.layers]
    fast = simulator.simulate(test.conditions, SEED)
    rows, rng = [], np.random.default_rng(SEED)
    for energy in np.unique(test["energy"]).tolist():
        parts = [layers(at(s, energy)) for s in (test, fast, train)]
        shares = [p / p.sum(axis=1, keepdims=True) for p in parts if len(p)]
        row: dict[str, Any] = {"GeV": energy / 1000}
        for name, other in zip(("fast", "geant4"), shares[1:], strict=False):
            scores = {}
            for i, layer in enumerate(names):
                score = separation_power(shares[0][:, i], other[:, i]).value
                baseline = baseline_of(shares[0][:, i], len(other), rng)
                scores[layer] = score / baseline.mean
            columns = [dict(zip(names, s.T, strict=True)) for s in (shares[0], other)]
            every = [(np.ones(len(shares[0]), bool), np.ones(len(other), bool))]
            found = correlations_of(names, *columns, every)
            scores["correlations"] = found.rms_difference / found.expected_rms if found else None
            row[name] = scores
        rows.append(row)
    return rows


def speed(simulator: Simulator) -> list[dict[str, float]]:
    """Return ms of CPU time per shower of 10 GeV on one core, and the memory of the process."""
    rows = []
    for batch in BATCHES:
        columns = simulator.detector.draw(np.full(batch, ENERGY), np.random.default_rng(1))
        conditions = Conditions(columns)
        time = cpu_ms(lambda c=conditions: simulator.simulate(c, 1), 2.0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        rows.append({"batch": batch, "ms": time / batch, "peak_mb": peak})
    return rows


def size_of(folder: Path) -> int:
    """Return the bytes of a folder's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def text(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    lines = [
        "# FastCaloSim against Geant4",
        "",
        f"`{result['command']}`, seed {SEED}, {result['machine']}",
        "",
        "Photons in `atlas-barrel`, `sample:test`. Response over Geant4's; the error is that of "
        "both samples of Geant4. In brackets `sample:train` itself. 25 GeV is in no bin.",
        "",
        "| GeV | n | mean | width | σ_eff |",
        "|---|---|---|---|---|",
    ]
    for row in result["responses"]:
        cells = []
        for i, digits in enumerate((4, 2, 2)):
            cell = f"{row['ratio'][i]:.{digits}f} ± {row['error'][i]:.{digits}f}"
            if "geant4" in row:
                cell += f" ({row['geant4'][i]:.{digits}f})"
            cells.append(cell)
        lines.append("| " + " | ".join([f"{row['GeV']:g}", str(row["n"]), *cells]) + " |")
    columns = list(result["shapes"][0]["fast"])
    lines += [
        "",
        "Layer fractions: separation power over the expected one of Geant4 against Geant4;",
    ]
    lines += ["correlations: root mean square difference over that by chance. In brackets"]
    lines += ["`sample:train`.", "", "| GeV | " + " | ".join(columns) + " |"]
    lines += ["|---" * (len(columns) + 1) + "|"]
    for row in result["shapes"]:
        cells = [f"{row['fast'][c]:.1f}" for c in columns]
        if "geant4" in row:
            cells = [f"{c} ({row['geant4'][n]:.1f})" for c, n in zip(cells, columns, strict=True)]
        lines.append("| " + " | ".join([f"{row['GeV']:g}", *cells]) + " |")
    lines += ["", "| photons of 10 GeV, one core | CPU ms per shower | memory of the process, MB |"]
    lines += ["|---|---|---|"]
    for row in result["speed"]:
        lines.append(f"| batch of {row['batch']} | {row['ms']:.3f} | {row['peak_mb']:.0f} |")
    sizes = result["bytes"]
    lines += [
        "",
        f"On disk {sizes['fastcalosim'] / 1e6:.2f} MB, the default simulator "
        f"{sizes['default'] / 1e6:.2f} MB.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    simulator = sim.load_simulator(folder)
    timed = speed(simulator)  # before other arrays are in memory
    train, test = (sim.load_sample(name) for name in ("train", "test"))
    shipped = Path(str(resources.files("simulacra.datasets"))) / "data" / "simulators"
    result = {
        "command": "python benchmarks/classical/fastcalosim.py fastcalosim",
        "machine": "2 cores of an AMD EPYC shared with other work",
        "described": {k: str(v) for k, v in simulator.describe().items()},
        "responses": responses(simulator, train, test),
        "shapes": shapes(simulator, train, test),
        "speed": timed,
        "bytes": {
            "fastcalosim": size_of(folder),
            "default": size_of(shipped / "atlas-barrel-photons"),
        },
    }
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "fastcalosim.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (results / "fastcalosim.md").write_text(text(result), encoding="utf-8")


if __name__ == "__main__":
    main()
