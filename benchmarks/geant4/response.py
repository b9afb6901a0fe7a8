"""Response and resolution of samples of one energy each, over those of the last.

    python benchmarks/geant4/response.py pions.h5 electrons.h5

The files come from ``simulacra simulate``; the README has the commands.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from simulacra.events import Events
from simulacra.io import read_events


def moments(events: Events) -> tuple[float, float, float, float]:
    """Return the mean response and its width over the mean, each with its error."""
    response = events["showers"].sum(axis=1, dtype=np.float64) / events.conditions["energy"]
    n, mean, width = len(response), float(response.mean()), float(response.std(ddof=1))
    kurtosis = float(((response - mean) ** 4).mean()) / width**4
    relative = width / mean
    error = relative * np.sqrt(max(kurtosis - 1, 0) / (4 * n) + relative**2 / n)
    return mean, width / np.sqrt(n), relative, float(error)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    paths = parser.parse_args().files
    samples = [read_events(path) for path in paths]
    reference = moments(samples[-1])
    table = Table("sample", "cut", "response", "sigma / mean", f"over {paths[-1].stem}")
    for path, events in zip(paths, samples, strict=True):
        mean, error, width, width_error = moments(events)
        ratio = mean / reference[0]
        ratio_error = ratio * np.hypot(error / mean, reference[1] / reference[0])
        table.add_row(
            path.stem,
            f"{events.provenance['cut_mm']:g} mm",
            f"{mean:.6f} ± {error:.6f}",
            f"{100 * width:.2f} ± {100 * width_error:.2f} %",
            "" if path == paths[-1] else f"{ratio:.4f} ± {ratio_error:.4f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
