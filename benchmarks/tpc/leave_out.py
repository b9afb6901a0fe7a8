"""Leave a range of momenta out of a sample, to see whether a model fills it.

python leave_out.py tracks.h5 1GeV..1.5GeV -o tracks-gap.h5
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from simulacra.conditions import EnergySpectrum
from simulacra.io import read_events, write_events


def main() -> None:
    """Read, choose and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("range", help="of the detector's scale, as 1GeV..1.5GeV")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    low, high = EnergySpectrum.parse(arguments.range).points
    events = read_events(arguments.events)
    scale = events.conditions[events.detector.scale]
    write_events(events.take(np.flatnonzero((scale < low) | (scale > high))), arguments.output)


if __name__ == "__main__":
    main()
