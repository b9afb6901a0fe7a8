"""What re-use of frozen showers costs. Writes results/frozen-showers.{json,md}.

    python benchmarks/classical/frozen_showers.py

Recall and coverage: libraries of Geant4 photons of 4 GeV (sample:train) against sample:test, in the
shares of the layers. Variance of a mean: showers of GFlash stand for Geant4, so that there are
enough of them for independent libraries.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from timing import cpu_ms

import simulacra as sim
from simulacra.conditions import Conditions
from simulacra.events import Events
from simulacra.validation.metrics.neighbours import neighbourhoods

HERE = Path(__file__).parent
ENERGY = 4000.0
SIZES = (25, 100, 400)
LIBRARIES, SHOWERS = 60, 50
OPTIONS = {"impact": 1}
"""One bin: what is measured is re-use, not the number of bins."""


def layers(events: Events) -> np.ndarray[Any, Any]:
    """Return the energy of each layer over the incident energy (n, layers)."""
    cells = [layer.cells for layer in events.detector.layers]
    sums = [events["showers"][:, c].sum(axis=1, dtype=float) for c in cells]
    found: np.ndarray[Any, Any] = np.stack(sums, axis=1) / events["energy"][:, None]
    return found


def repeated() -> list[dict[str, Any]]:
    """Return recall and coverage of libraries of some sizes, and of Geant4 itself."""
    train, test = (sim.load_sample(name) for name in ("train", "test"))
    train, test = (s[s["energy"] == ENERGY] for s in (train, test))
    rows = []
    n = min(len(train), len(test))
    test = test[:n]

    def row(name: str, fast: Events, **facts: float) -> None:
        values = neighbourhoods(layers(test), layers(fast))
        names = ("precision", "recall", "density", "coverage")
        scores = {k: v.value for k, v in zip(names, values, strict=True)}
        rows.append({"library": name, "n": len(fast)} | scores | facts)

    row("Geant4, independent", train[:n])
    for size in SIZES:
        library = sim.build("frozen-showers", sample=train[:size], options=OPTIONS)
        reuse = library.reuse(test.conditions, 1)
        fast = library.simulate(test.conditions, 1, extrapolate=True)
        row(str(size), fast, distinct=reuse.distinct, effective=reuse.effective)
    return rows


def variances() -> list[dict[str, float]]:
    """Return the variance of the mean strip share over that of independent events."""
    truth = sim.build("gflash", "calogan", particle="gamma")
    many = truth.generate("1GeV", LIBRARIES * SHOWERS, 1)
    shares = layers(many)[:, 0]
    rows = []
    libraries = [
        sim.build("frozen-showers", sample=many[k * SHOWERS : (k + 1) * SHOWERS])
        for k in range(LIBRARIES)
    ]
    for n in (10, 50, 500):
        conditions = Conditions({"energy": np.full(n, 1000, np.float32)})
        means = [
            layers(lib.simulate(conditions, k + 1))[:, 0].mean() for k, lib in enumerate(libraries)
        ]
        ratio = float(np.var(means, ddof=1) / (shares.var() / n))
        error = ratio * float(np.sqrt(2 / (LIBRARIES - 1)))
        rows.append(
            {
                "n": n,
                "N": SHOWERS,
                "ratio": ratio,
                "error": error,
                "expected": 1 + (n - 1) / SHOWERS,
            }
        )
    return rows


def speed() -> list[dict[str, float]]:
    """Return ms of CPU time per shower of 4 GeV on one core."""
    train = sim.load_sample("train")
    library = sim.build("frozen-showers", sample=train[train["energy"] == ENERGY])
    rows = []
    for batch in (100, 10_000):
        conditions = train[train["energy"] == ENERGY].conditions
        conditions = conditions.take(np.arange(batch) % len(conditions))
        time = cpu_ms(lambda c=conditions: library.simulate(c, 1), 2.0)
        rows.append({"batch": batch, "ms": time / batch})
    return rows


def main() -> None:
    """Measure and write the results."""
    result = {
        "command": "python benchmarks/classical/frozen_showers.py",
        "machine": "2 cores of an AMD EPYC shared with other work",
        "repeated": repeated(),
        "variances": variances(),
        "speed": speed(),
    }
    lines = [
        "# Re-use of frozen showers",
        "",
        f"`{result['command']}`, seed 1, {result['machine']}",
        "",
    ]
    lines += ["Photons of 4 GeV in `atlas-barrel`, shares of the layers:", ""]
    lines += ["| library | n | recall | coverage | precision | distinct | effective |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for r in result["repeated"]:
        used = [f"{r[k]:.0f}" if k in r else "–" for k in ("distinct", "effective")]
        scores = [f"{r[k]:.3f}" for k in ("recall", "coverage", "precision")]
        lines.append("| " + " | ".join([r["library"], str(r["n"]), *scores, *used]) + " |")
    lines += ["", "Variance of the mean of n events over that of n independent ones:", ""]
    lines += ["| library | n | measured | 1 + (n − 1) / N |", "|---|---|---|---|"]
    for r in result["variances"]:
        lines.append(
            f"| {r['N']} | {r['n']} | {r['ratio']:.2f} ± {r['error']:.2f} | {r['expected']:.2f} |"
        )
    lines += ["", "| batch | CPU ms per shower of 4 GeV, one core |", "|---|---|"]
    lines += [f"| {r['batch']} | {r['ms']:.4f} |" for r in result["speed"]]
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "frozen-showers.json").write_text(
        json.dumps(result, indent=2) + "\n", encoding="utf-8"
    )
    (results / "frozen-showers.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
