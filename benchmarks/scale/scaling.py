"""Processor time of Geant4's production with 1, 2 and 8 workers, and of its parts.

    python benchmarks/scale/scaling.py FOLDER [EVENTS]

Photons of 1 to 65 GeV in ``atlas-barrel``; the run with 8 workers has more of them than the machine
has cores. The model is ``workers * start + events * event``; start and event are fitted to the runs
with one event and with one worker, and the others are predicted. Processor time is that of the
workers; the time on the clock is that of the call, together with the machine's load, without which
it means nothing. Writes ``scaling.json`` to the folder.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import simulacra as sim

ENERGY, SEED = "1GeV..65GeV", 1


def measured(events: int, workers: int) -> dict[str, Any]:
    """Return the times of a production."""
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    sim.simulate("atlas-barrel", "gamma", ENERGY, events, SEED, workers=workers)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    taken = {"processor, s": used, "clock, s": time.monotonic() - clock}
    return {"events": events, "workers": workers, **taken, "load": os.getloadavg()[0]}


def main(folder: Path, events: int = 400) -> None:
    """Measure, fit, predict and write."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = [measured(1, 1), *(measured(events, workers) for workers in (1, 2, 8))]
    start = runs[0]["processor, s"]
    event = (runs[1]["processor, s"] - start) / (events - 1)
    for run in runs:
        run["predicted, s"] = run["workers"] * start + run["events"] * event
    result = {
        "command": f"python benchmarks/scale/scaling.py FOLDER {events}",
        "detector, particle, energy": ["atlas-barrel", "gamma", ENERGY],
        "seed": SEED,
        "start of a worker, s": start,
        "event, s": event,
        "runs": runs,
    }
    (folder / "scaling.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
