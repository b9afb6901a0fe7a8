"""GFlash against Geant4: profiles untuned, atlas-barrel tuned, speed.

Writes results/gflash.json and results/gflash.md.

    python benchmarks/classical/gflash.py FOLDER TUNED

FOLDER holds the Geant4 events of profiles, DETECTOR-PARTICLE-GEV.h5 (README.md has the commands);
TUNED is the folder of ``simulacra build gflash --sample sample:train -o TUNED``.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
from profiles import NAMES, summary
from timing import cpu_ms

import simulacra as sim
from simulacra.conditions import Conditions
from simulacra.events import Events

HERE = Path(__file__).parent
DETECTORS = ("pbwo4-block", "calogan-rings", "accordion-rings")
SEED = 1
BATCHES = (100, 10_000)
ENERGY = 10_000.0


def profiles(folder: Path) -> list[dict[str, Any]]:
    """Return each number of Geant4 with that of untuned GFlash, and their ratio."""
    rows = []
    for detector in DETECTORS:
        for particle in ("e-", "gamma"):
            fast = sim.build("gflash", HERE / f"{detector}.yaml", particle=particle)
            for energy in (1, 10):
                full = sim.read_events(folder / f"{detector}-{particle}-{energy}.h5")
                pair = summary(full), summary(fast.simulate(full.conditions, SEED))
                row = {"detector": detector, "particle": particle, "GeV": energy, "n": len(full)}
                for name in NAMES:
                    (ours, own), (theirs, error) = pair[1][name], pair[0][name]
                    ratio = ours / theirs
                    spread = ratio * float(np.hypot(own / ours, error / theirs))
                    row[name] = {"geant4": theirs, "gflash": ours, "ratio": ratio, "error": spread}
                rows.append(row)
    return rows


def response(events: Events) -> np.ndarray[Any, Any]:
    """Return the energy of all cells over the incident energy (n,)."""
    found: np.ndarray[Any, Any] = events["showers"].sum(axis=1, dtype=float) / events["energy"]
    return found


def tuned(folder: Path) -> list[dict[str, Any]]:
    """Return mean and width of the response of the test sample, energy by energy."""
    test, fast = sim.load_sample("test"), sim.load_simulator(folder)
    untuned = sim.build("gflash", test.detector, particle="gamma")
    samples = [test, fast.simulate(test.conditions, SEED), untuned.simulate(test.conditions, SEED)]
    rows = []
    for energy in np.unique(test["energy"]).tolist():
        parts = [response(s[test["energy"] == energy]) for s in samples]
        rows.append(
            {
                "GeV": energy / 1000,
                "n": len(parts[0]),
                "mean_error": float(parts[0].std() / np.sqrt(len(parts[0])) / parts[0].mean()),
                "mean_ratio": float(parts[1].mean() / parts[0].mean()),
                "width_ratio": float(parts[1].std() / parts[0].std()),
                "untuned_mean_ratio": float(parts[2].mean() / parts[0].mean()),
                "untuned_width_ratio": float(parts[2].std() / parts[0].std()),
            }
        )
    return rows


def speed() -> list[dict[str, Any]]:
    """Return ms per shower of 10 GeV of CPU time on one core: median of three calls or more."""
    rows = []
    for name in ("atlas-barrel", "calogan"):
        simulator = sim.build("gflash", name, particle="gamma")
        for batch in BATCHES:
            columns = simulator.detector.draw(np.full(batch, ENERGY), np.random.default_rng(1))
            conditions = Conditions(columns)
            time = cpu_ms(lambda c=conditions, s=simulator: s.simulate(c, 1), 2.0)
            rows.append({"detector": name, "batch": batch, "ms": time / batch})
    return rows


def text(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    lines = [
        "# GFlash against Geant4",
        "",
        f"`{result['command']}`, seed {SEED}, {result['machine']}",
    ]
    lines += ["", "Untuned, GFlash over Geant4:", ""]
    lines += ["| matter | particle | GeV | n | maximum | 90 % radius | response | width |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for row in result["profiles"]:
        cells = [f"{row[name]['ratio']:.3f} ± {row[name]['error']:.3f}" for name in NAMES]
        head = [row["detector"], row["particle"], str(row["GeV"]), str(row["n"])]
        lines.append("| " + " | ".join([*head, *cells]) + " |")
    lines += ["", "Photons in `atlas-barrel` (`sample:test`), over Geant4:", ""]
    lines += ["| GeV | n | mean, tuned | width, tuned | mean, untuned | width, untuned |"]
    lines += ["|---|---|---|---|---|---|"]
    for row in result["tuned"]:
        lines.append(
            f"| {row['GeV']:g} | {row['n']} | {row['mean_ratio']:.4f} ± {row['mean_error']:.4f} | "
            f"{row['width_ratio']:.2f} | {row['untuned_mean_ratio']:.4f} | "
            f"{row['untuned_width_ratio']:.2f} |"
        )
    lines += [
        "",
        "Speed, photons of 10 GeV, one core:",
        "",
        "| detector | batch | CPU ms per shower |",
    ]
    lines += ["|---|---|---|"]
    lines += [f"| {r['detector']} | {r['batch']} | {r['ms']:.3f} |" for r in result["speed"]]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("tuned", type=Path)
    given = parser.parse_args()
    result = {
        "command": "python benchmarks/classical/gflash.py FOLDER TUNED",
        "machine": f"{platform.machine()}, 2 cores of an AMD EPYC shared with other work",
        "options": sim.load_simulator(given.tuned).describe()["options"],
        "profiles": profiles(given.folder),
        "tuned": tuned(given.tuned),
        "speed": speed(),
    }
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "gflash.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (results / "gflash.md").write_text(text(result), encoding="utf-8")


if __name__ == "__main__":
    main()
