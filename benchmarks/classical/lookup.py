"""What a look-up keeps of Geant4, and the speed of look-up, overlay and smearing.

    python benchmarks/classical/lookup.py

Writes results/lookup.{json,md}. Look-up: photons of sample:train answer for the conditions of
sample:test, whose 25 GeV are in no sample to learn from. Speeds: CPU time on one core.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from timing import cpu_ms

import simulacra as sim
from simulacra.events import Events
from simulacra.mixing.verb import Overlay
from simulacra.smearing.transport import transport
from simulacra.validation.metrics.neighbours import neighbourhoods

HERE = Path(__file__).parent
NEIGHBOURS = (1, 10, 50)
ENERGIES = (1000.0, 4000.0, 16000.0, 25000.0, 65000.0)
BATCHES = (100, 10_000)
SECONDS = 0.5


def layers(events: Events) -> np.ndarray[Any, Any]:
    """Return the energy of each layer over the incident energy (n, layers)."""
    cells = [layer.cells for layer in events.detector.layers]
    sums = [events["showers"][:, c].sum(axis=1, dtype=float) for c in cells]
    found: np.ndarray[Any, Any] = np.stack(sums, axis=1) / events["energy"][:, None]
    return found


def kept() -> list[dict[str, Any]]:
    """Return mean and width of the response over Geant4's, recall and coverage, by energy."""
    train, test = (sim.load_sample(name) for name in ("train", "test"))
    rows = []
    for k in NEIGHBOURS:
        made = sim.build("lookup", sample=train, options={"neighbours": k})
        fast = made.simulate(test.conditions, 1)
        for energy in ENERGIES:
            mine = np.isclose(test["energy"], energy, rtol=0.03)
            full, ours = (layers(events[mine]) for events in (test, fast))
            scores = neighbourhoods(full, ours)
            n = int(mine.sum())
            width = ours.sum(axis=1).std() / full.sum(axis=1).std()
            rows.append(
                {
                    "neighbours": k,
                    "energy": energy,
                    "n": n,
                    "mean": float(ours.sum(axis=1).mean() / full.sum(axis=1).mean()),
                    "mean_error": float(
                        np.sqrt(2 / n) * full.sum(axis=1).std() / full.sum(axis=1).mean()
                    ),
                    "width": float(width),
                    "width_error": float(width / np.sqrt(n)),
                    "recall": scores[1].value,
                    "coverage": scores[3].value,
                }
            )
    return rows


def particles(n: int) -> sim.Particles:
    """Return ``n`` events of ten particles each."""
    rng = np.random.default_rng(1)
    m = 10 * n
    return sim.Particles.of(
        np.repeat(np.arange(n), 10),
        rng.choice([22, 211, -211, 11, 130], m),
        np.exp(rng.uniform(np.log(500), np.log(5e4), m)),
        rng.uniform(-2.4, 2.4, m),
        rng.uniform(-np.pi, np.pi, m),
        np.full(m, 139.57),
    )


def speed() -> list[dict[str, Any]]:
    """Return CPU ms for an event."""
    train = sim.load_sample("train")
    made = sim.build("lookup", sample=train)
    showers = sim.build("gflash", "calogan", particle="gamma")
    library = showers.generate("1GeV..10GeV", 2000, 1)
    tracks = sim.load_sample("train", "alice-tpc")
    rows = []

    def row(name: str, batch: int, call: Any) -> None:  # noqa: ANN401
        rows.append({"method": name, "batch": batch, "ms": cpu_ms(call, SECONDS) / batch})

    for batch in BATCHES:
        conditions = train.conditions.take(np.arange(batch) % len(train))
        row("look-up, atlas-barrel", batch, lambda c=conditions: made.simulate(c, 1))
        signal = library.take(np.arange(batch) % len(library))
        for mean in (3.0, 40.0):
            chosen = Overlay.of(library.detector, library, mean)
            row(f"overlay, calogan, mean {mean:g}", batch, lambda s=signal, c=chosen: c.onto(s))
        given = particles(batch)
        row("smear, cms, 10 particles", batch, lambda p=given: sim.smear(p, "cms"))
        row("transport, idea-vertex, 10 particles", batch, lambda p=given: transport(p))
    chosen = Overlay.of(tracks.detector, tracks, 100.0)
    events = tracks[:10]
    row("whole events, alice-tpc, mean 100 tracks", 10, lambda: chosen.onto(events))
    return rows


def main() -> None:
    """Measure and write the results."""
    result = {
        "command": "python benchmarks/classical/lookup.py",
        "machine": "2 cores of an AMD EPYC, busy",
        "kept": kept(),
        "speed": speed(),
    }
    lines = ["# Look-up, overlay and smearing", ""]
    lines += [f"`{result['command']}`, seed 1, {result['machine']}", ""]
    lines += [
        "Photons of `sample:train` answer for `sample:test`; over Geant4, shares of layers:",
        "",
    ]
    lines += ["| neighbours | energy [GeV] | n | mean response | its width | recall | coverage |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for r in result["kept"]:
        mean = f"{r['mean']:.4f} ± {r['mean_error']:.4f}"
        width = f"{r['width']:.3f} ± {r['width_error']:.3f}"
        scores = f"{r['recall']:.3f} | {r['coverage']:.3f}"
        first = f"| {r['neighbours']} | {r['energy'] / 1000:g} | {r['n']} "
        lines.append(f"{first}| {mean} | {width} | {scores} |")
    lines += ["", "| method | batch | CPU ms per event, one core |", "|---|---|---|"]
    lines += [f"| {r['method']} | {r['batch']} | {r['ms']:.4f} |" for r in result["speed"]]
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "lookup.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (results / "lookup.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
