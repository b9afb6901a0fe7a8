"""Summary of a sample of full simulation: how much is seen, and where.

    python summary.py par04-siw-test.h5 results/par04-siw/summary.json

The test suite holds what is stored there against what is known of such showers.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import numpy as np

from simulacra.detectors import Calorimeter
from simulacra.events import Events
from simulacra.io import read_events

EDGES = (1e3, 3e3, 1e4, 3e4, 1e5)
"""Of the energies that are summarised together, MeV."""
THRESHOLD = 0.5e-3 / 0.033
"""CaloChallenge's for the energy of a voxel, MeV."""


def summary(events: Events) -> dict[str, object]:
    """Return means of the showers, by energy."""
    detector = events.detector
    assert isinstance(detector, Calorimeter)
    energy = events.conditions["energy"]
    bins = [
        _of(detector, events["showers"][here].astype(np.float64), energy[here], low, high)
        for low, high in itertools.pairwise(EDGES)
        for here in [(energy >= low) & (energy < high)]
    ]
    return {"detector": detector.name, "provenance": dict(events.provenance), "bins": bins}


def _of(
    detector: Calorimeter,
    showers: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    energy: np.ndarray[tuple[int], np.dtype[np.float64]],
    low: float,
    high: float,
) -> dict[str, object]:
    layers = np.stack([showers[:, layer.cells].sum(axis=1) for layer in detector.layers], axis=1)
    sectors, rings = detector.layers[0].shape
    radial = showers.reshape(len(showers), -1, sectors, rings).sum(axis=(0, 1, 2))
    response = showers.sum(axis=1) / energy
    above = np.where(showers >= THRESHOLD, showers, 0.0)
    return {
        "energy": [low, high],
        "events": len(showers),
        "mean_energy": float(energy.mean()),
        "response": [float(response.mean()), float(response.std())],
        "above_threshold": float(above.sum() / showers.sum()),
        "cells_above_threshold": float((showers >= THRESHOLD).sum(axis=1).mean()),
        "layers": [float(f) for f in layers.sum(axis=0) / layers.sum()],
        "rings": [float(f) for f in radial / radial.sum()],
    }


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(summary(read_events(source)), indent=1) + "\n", encoding="utf-8")
