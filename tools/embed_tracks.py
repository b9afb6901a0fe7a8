r"""Make the embedded sample of tracks from a file of full simulation.

    simulacra simulate --detector alice-tpc --momentum 100MeV..10GeV -n 5000 --seed 5003 \
        -o tracks.h5
    python tools/embed_tracks.py tracks.h5 src/simulacra/datasets/data/alice-tpc

The first 55 % of the tracks, which are in no order, go to ``train``, the next 15 % to
``selection``, the rest to ``test``. Positions are rounded to 1/64 mm and charges to 1/8 ADC, a
tenth of the best resolution and a fifth of the noise, so that the files are smaller.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.io import read_events, write_events

SHARES = {"train": 0.55, "selection": 0.15, "test": 0.30}
STEPS = np.array([1 / 64, 1 / 64, 1 / 64, 1 / 8, 1 / 8])  # mm, mm, mm, ADC, ADC


def rounded(events: Events) -> Events:
    """Return the events with clusters that are multiples of the steps."""
    clusters = (np.round(events["clusters"] / STEPS) * STEPS).astype(np.float32)
    response = {**events.response, "clusters": clusters}
    return Events(events.conditions, response, events.detector, events.provenance)


def main() -> None:
    """Read, round, split and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    events = rounded(read_events(arguments.source, load_detector("alice-tpc")))
    bounds = np.round(np.cumsum([0, *SHARES.values()]) * len(events)).astype(int)
    for name, first, last in zip(SHARES, bounds[:-1], bounds[1:], strict=True):
        part = events.take(slice(first, last))
        facts = {**events.provenance, "split": name, "rounded_to": STEPS.tolist()}
        write_events(
            Events(part.conditions, part.response, part.detector, facts),
            arguments.folder / f"{name}.h5",
        )


if __name__ == "__main__":
    main()
