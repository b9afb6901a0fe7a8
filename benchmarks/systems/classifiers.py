"""The classifiers of ``simulacra validate --profile quick`` alone: its distances can take too long.

    python classifiers.py test.h5 fast.h5 more.h5 15.15keV -o classifiers.json

``more.h5`` holds other events of the full simulation, for the floor.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from simulacra.energies import energy_groups, scale_of
from simulacra.io import EventFile
from simulacra.units import parse_quantity
from simulacra.validation import Emptied, measured
from simulacra.validation.adversary import PROFILES, _adversaries, _prepare


def main() -> None:
    """Write AUC, error, floor and its error of each classifier."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs=3)
    parser.add_argument("threshold")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    least = parse_quantity(given.threshold, "energy")
    samples = [measured(Emptied(EventFile(file), least)) for file in given.files]
    reference = samples[0]
    groups = energy_groups(scale_of(reference), scale=reference.detector.scale)
    ready = [_prepare(sample, groups) for sample in samples]
    options = PROFILES["quick"].classifier
    found = _adversaries(*ready, groups, options, np.random.default_rng(1))
    result = {
        f"{a.features}, {a.classifier}": {
            "auc": [a.auc.value, a.auc.error],
            "floor": [a.floor_auc.estimate.value, a.floor_auc.estimate.error],
            "energies": {k: [e.value, e.error] for k, e in a.energies.items()},
            "judged by": a.n,
        }
        for a in found
    }
    given.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
