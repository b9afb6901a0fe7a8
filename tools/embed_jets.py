r"""Make the embedded sample of jet images from a file of full simulation.

    simulacra simulate --detector jet-constituents -n 13000 --seed 1 -o jets.h5
    python tools/embed_jets.py jets.h5 src/simulacra/datasets/data/jet-images

Constituents are left out. Processes take turns: the first 55 % of the jets go to ``train``, the
next 15 % to ``selection``, the rest to ``test``. Pixels are rounded to 1/1024 GeV, about the
threshold below which they are empty, so that the files are smaller.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.io import read_events, write_events

SHARES = {"train": 0.55, "selection": 0.15, "test": 0.30}
STEP = 1 / 1024  # GeV


def images_of(events: Events) -> Events:
    """Return the images alone, rounded, as events of the detector without constituents."""
    images = (np.round(events["images"] / STEP) * STEP).astype(np.float32)
    detector = load_detector("jet-image")
    return Events(events.conditions, {"images": images}, detector, events.provenance)


def main() -> None:
    """Read, round, split and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    events = images_of(read_events(arguments.source))
    bounds = np.round(np.cumsum([0, *SHARES.values()]) * len(events)).astype(int)
    for name, first, last in zip(SHARES, bounds[:-1], bounds[1:], strict=True):
        part = events.take(slice(first, last))
        facts = {**events.provenance, "split": name, "rounded_to": STEP}
        write_events(
            Events(part.conditions, part.response, part.detector, facts),
            arguments.folder / f"{name}.h5",
        )


if __name__ == "__main__":
    main()
